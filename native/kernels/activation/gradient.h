// Gradients of activations, dx = dy f'(x), by the output y = f(x).
#pragma once

#include "common/math.h"

// In the order of the C# enumeration.
enum class ActivationKind : int { identity, relu, relu6, sigmoid, tanh };

// Calls body(f) with dx = f(y, dy) of a kind. The kind is an argument and not a template parameter: a branch that all threads take the same
// way is free here. Comparisons are written so that the gradient of NaN passes.
template <typename Body> __device__ __forceinline__ void withGradient(ActivationKind kind, Body body)
{
    switch (kind) {
    case ActivationKind::identity: body([](float, float g) { return g; }); break;
    case ActivationKind::relu: body([](float v, float g) { return v <= 0.0f ? 0.0f : g; }); break;
    case ActivationKind::relu6: body([](float v, float g) { return v <= 0.0f || v >= 6.0f ? 0.0f : g; }); break;
    case ActivationKind::sigmoid: body([](float v, float g) { return g * (v * (1.0f - v)); }); break;
    case ActivationKind::tanh: body([](float v, float g) { return g * fmaf(-v, v, 1.0f); }); break;
    }
}
