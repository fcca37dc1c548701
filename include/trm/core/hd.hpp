// SPDX-License-Identifier: MIT
// TRM_HD marks what also runs on a CUDA device. The only other place that may look at __CUDACC__ is backend/cuda.
#pragma once

#if defined(__CUDACC__)
#define TRM_HD __host__ __device__
#else
#define TRM_HD
#endif
