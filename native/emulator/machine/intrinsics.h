// Vector intrinsics of the host, of which a file uses those that it is compiled for.
#pragma once

// g++ 12 believes that the header's own "undefined" vectors are used.
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif
