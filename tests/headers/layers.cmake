# SPDX-License-Identifier: MIT
# The one direction in which headers may include each other. Run as: cmake -DINCLUDE_DIR=include -P layers.cmake

# Folder of include/trm -> what its headers must not include. backend/count.hpp is no way of computing but the check of a
# layer against the contract, so whoever states the contract may have it.
set(outside "<(fmt|nlohmann|CLI|doctest|dnnl|cblas|mpi|nccl)")
set(programs "trm/(io|data|train|telemetry)/")
set(core_must_not "${outside}|${programs}|trm/(ops|layers|compose|models|losses|optim|backend)/")
set(ops_must_not "${outside}|${programs}|trm/(layers|compose|models|backend)/")
set(layers_must_not "${outside}|${programs}|trm/(models|backend)/")
set(compose_must_not "${layers_must_not}")
set(losses_must_not "${layers_must_not}")
set(models_must_not "${outside}|${programs}|trm/backend/")
set(optim_must_not "${models_must_not}")
set(backend_must_not "<(fmt|nlohmann|CLI|doctest)|${programs}|trm/(layers|compose|models)/")

set(violations "")
foreach(folder IN ITEMS core ops layers compose losses models optim backend)
  file(GLOB_RECURSE headers RELATIVE "${INCLUDE_DIR}" "${INCLUDE_DIR}/trm/${folder}/*.hpp"
       "${INCLUDE_DIR}/trm/${folder}/*.cuh")
  foreach(header IN LISTS headers)
    file(STRINGS "${INCLUDE_DIR}/${header}" includes REGEX "^ *# *include ")
    list(FILTER includes EXCLUDE REGEX "trm/backend/count\\.hpp")
    foreach(line IN LISTS includes)
      if(line MATCHES "${${folder}_must_not}")
        string(APPEND violations "${header}: a header of ${folder}/ must not have ${line}\n")
      endif()
    endforeach()
  endforeach()
endforeach()
if(violations)
  message(FATAL_ERROR "${violations}")
endif()
