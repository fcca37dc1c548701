// SPDX-License-Identifier: MIT
// The names of a state dict, whatever was wrapped around the model that it was taken from.
#pragma once
#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trm/core/error.hpp"
#include "trm/io/json.hpp"

namespace trm {

/// What every name of the model itself begins with in the published state dicts.
inline constexpr const char* published_prefix = "model.inner.";
/// The puzzle table's name, [identifiers, puzzle_width].
inline constexpr const char* published_puzzle_table = "model.inner.puzzle_emb.weights";

namespace detail {

/// Without what torch.compile puts around a module, wherever it is: "_orig_mod.model.inner.x" is "model.inner.x".
inline std::string without_wrappers(std::string_view name) {
  static constexpr std::string_view wrapper = "_orig_mod.";
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.size(), name.find('.', at) == name.npos ? name.npos : name.find('.', at) + 1);
    if (const std::string_view part = name.substr(at, end - at); part != wrapper) out += part;
    at = end;
  }
  return out;
}

}  // namespace detail

/// The published name of each of a state dict's names. The model is found by its token embedding (in a file of the puzzle table alone, by
/// that): what its name has in front, be it "", "inner.", "model.inner." or "state_dict.module.model.inner.", becomes "model.inner.",
/// and `_orig_mod.` goes. Names that do not begin so (an optimizer's state) stay as they are, and so do all where there is no model.
/// Throws `PLACE: ...` where there are several models, say the weights and their average.
inline std::map<std::string, std::string> published_names(const std::vector<std::string>& names,
                                                          const std::string& place) {
  std::map<std::string, std::string> result;
  for (const std::string& name : names) result[name] = name;
  for (const std::string_view anchor : {"embed_tokens.embedding_weight", "puzzle_emb.weights"}) {
    std::set<std::string> prefixes;
    for (const std::string& name : names) {
      const std::string plain = detail::without_wrappers(name);
      if (!plain.ends_with(anchor)) continue;
      const std::string prefix = plain.substr(0, plain.size() - anchor.size());
      if (prefix.empty() || prefix.back() == '.') prefixes.insert(prefix);
    }
    if (prefixes.empty()) continue;
    if (prefixes.size() > 1) {
      std::string text;
      for (const std::string& p : prefixes) {
        if (text.size() < 200) text += (text.empty() ? "\"" : ", \"") + detail::printable(p, 80) + "\"";
      }
      throw error(place, "holds several models, under " + text + ": save the one to be read in a file of its own");
    }
    const std::string& prefix = *prefixes.begin();
    for (auto& [name, published] : result) {
      const std::string plain = detail::without_wrappers(name);
      if (plain.starts_with(prefix)) published = published_prefix + plain.substr(prefix.size());
    }
    break;
  }
  return result;
}

/// Renames the tensors of `file` so.
template <class File>
void use_published_names(File& file) {
  const std::map<std::string, std::string> names = published_names(file.names(), file.path().string());
  file.rename([&](const std::string& name) { return names.at(name); });
}

}  // namespace trm
