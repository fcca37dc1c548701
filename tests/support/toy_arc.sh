# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# For tests of trm-arc, after program.sh: three tiny tasks as a dataset.

# toy_dataset FOLDER [AUGMENTATIONS] [OPTION...]: of the tasks in source/, on a canvas of 10
toy_dataset() {
  local folder=$1 augmentations=${2:-2}
  shift $(($# < 2 ? $# : 2))
  if [ ! -d source ]; then
    mkdir source
    cat >source/toy_small_challenges.json <<'END'
{"aaaa0001": {"train": [{"input": [[1, 2], [3, 4]], "output": [[2, 1], [4, 3]]}, {"input": [[5, 6, 7]], "output": [[7, 6, 5]]}],
              "test": [{"input": [[8, 9]]}]},
 "aaaa0002": {"train": [{"input": [[1]], "output": [[2]]}, {"input": [[3, 3]], "output": [[4, 4]]}],
              "test": [{"input": [[5, 5]]}, {"input": [[7]]}]},
 "aaaa0003": {"train": [{"input": [[0, 1, 0]], "output": [[1]]}], "test": [{"input": [[1, 0, 1, 1]]}]}}
END
    cat >source/toy_small_solutions.json <<'END'
{"aaaa0001": [[[9, 8]]], "aaaa0002": [[[6, 6]], [[8]]], "aaaa0003": [[[1, 1, 1]]]}
END
  fi
  succeeds "build-dataset $folder" build-dataset --source source --subsets small --test-set small --canvas 10 --quiet \
    --augmentations "$augmentations" --output "$folder" "$@"
}
