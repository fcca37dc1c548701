// SPDX-License-Identifier: MIT
// TRM_HD marks what also runs on a CUDA device. The only other place that may look at __CUDACC__ is backend/cuda.
#pragma once

#if defined(__CUDACC__)
#define TRM_HD __host__ __device__
#else
/// Before functions that run on a GPU too; nothing where CUDA does not compile.
#define TRM_HD
#endif
