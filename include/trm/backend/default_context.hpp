// SPDX-License-Identifier: MIT
// The context that trainers and solvers compute on unless told otherwise: the CPU's. nvcc cannot read the CPU's vectors; a source for it
// has the declaration of trm/fwd.hpp, and computes on a device.
#pragma once
#if defined(__CUDACC__)
#include "trm/backend/cpu/isa.hpp"
#include "trm/fwd.hpp"
#else
#include "trm/backend/cpu/context.hpp"
#endif
