// SPDX-License-Identifier: MIT
// The headers after macros that other headers define: the imaginary unit of <complex.h>, the baud rates of <termios.h>,
// major and minor of <sys/sysmacros.h>, what <windows.h>, <curses.h> and X11 define, and names that programs like for their
// own. The headers from elsewhere come first, as they could not bear it either. min and max as macros with arguments are
// not here: libstdc++ takes them away where they were defined before its first header (../own_names), and <chrono> does not bear
// them where they are defined later.
#include "from_elsewhere.hpp"

#undef major
#undef minor
#define I _Complex_I
#define B0 0000000
#define B50 0000001
#define ECHO 0000010
#define small char
#define near
#define far
#define hyper long long
#define interface struct
#define pascal
#define IN
#define OUT
#define ERROR 0
#define OK 0
#define TRUE 1
#define FALSE 0
#define None 0L
#define Bool int
#define Status int
#define Success 0
#define Always 2
#define major(dev) gnu_dev_major(dev)
#define minor(dev) gnu_dev_minor(dev)
#define linux 1
#define unix 1
#define CHECK(x) (x)
#define LOG(x) x
#define DEBUG 1
#define INFO 2
#define FATAL 3
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) < (b) ? (b) : (a))
#define EMPTY
#define PAGE_SIZE 4096
#define TEXT(x) L##x
#define VERSION "9.9.9"

#include "everything.hpp"

#include "../model.hpp"

int first_prediction_of_the_other_unit(int seed) { return first_prediction(seed); }
const void* solver_of_the_other_unit() { return reinterpret_cast<const void*>(&first_prediction); }
