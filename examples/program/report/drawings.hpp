// SPDX-License-Identifier: MIT
// Puzzles as inline SVG.
#pragma once
#include "arc_drawing.hpp"
#include "maze_drawing.hpp"
#include "sudoku_drawing.hpp"
