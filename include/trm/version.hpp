// SPDX-License-Identifier: MIT
// The version of the library. The only place where it is written: the build and the packages read it from here.
#pragma once

/// The version MAJOR.MINOR.PATCH; before 1.0 a new MINOR may break what is documented.
#define TRM_VERSION_MAJOR 0
// Likewise.
#define TRM_VERSION_MINOR 1
// Likewise.
#define TRM_VERSION_PATCH 0

/// One number that grows with every release: major * 10000 + minor * 100 + patch.
#define TRM_VERSION (TRM_VERSION_MAJOR * 10000 + TRM_VERSION_MINOR * 100 + TRM_VERSION_PATCH)

#define TRM_DETAIL_TEXT_OF(x) #x
#define TRM_DETAIL_DOTTED(major, minor, patch) \
  TRM_DETAIL_TEXT_OF(major) "." TRM_DETAIL_TEXT_OF(minor) "." TRM_DETAIL_TEXT_OF(patch)

namespace trm {

/// `major.minor.patch`, as a run records it.
inline constexpr const char* version_string =
    TRM_DETAIL_DOTTED(TRM_VERSION_MAJOR, TRM_VERSION_MINOR, TRM_VERSION_PATCH);

}  // namespace trm

#undef TRM_DETAIL_DOTTED
#undef TRM_DETAIL_TEXT_OF
