// SPDX-License-Identifier: MIT
// TRM_HD marks what also runs on a CUDA device. The only other places that may look at __CUDACC__ are backend/cuda and
// backend/default_context.hpp.
#pragma once

#if defined(__CUDACC__)
#define TRM_HD __host__ __device__
#else
/// Before functions that run on a GPU too; nothing where CUDA does not compile.
#define TRM_HD
#endif
