// Lines of tensors along one axis, and how threads walk over them: what softmax and the losses on top of it share.
//
// A tensor is (outer, size, inner), with lines of `size` elements at distance `inner`. A line, or those of several tensors at the same
// place (y and dy), belong to a team of threads, in a holder:
//
//   HeldRow       inner = 1: a warp or a block has the row in registers                      held_row.h
//   ShortRow      inner = 1: a thread has it in shared memory                                short_row.h
//   KeptRow       inner = 1: a block has it in shared memory                                 long_row.h
//   StreamedRow   inner = 1: a block reads it again in each pass                             long_row.h
//   KeptColumn, StreamedColumn   inner > 1: neighbouring lines side by side, likewise        column.h
//
// A holder offers
//   kept                memory is read once, and what a pass has changed is there in the next one
//   eachUnit(g)         g(i, unit) for each unit of consecutive elements i, i + 1, ... of the line that this thread owns, where unit[t]
//                       are those of tensor t: Elements of some width
//   changeUnits(g)      the same, and keeps what g writes to unit; only where `kept`
//   put(y, i, result)   stores the elements i, i + 1, ... of the line y
//   reduce(value, op)   over the team; leads() is true for one thread of it
// and the functions below do the rest.
#pragma once

#include "common/elements.h"
#include "common/reduce.h"

// Where a line begins in each of the tensors.
template <typename T, int tensors> struct LineStarts
{
    const T* at[tensors];

    __device__ __forceinline__ LineStarts operator+(long long offset) const
    {
        LineStarts moved;
#pragma unroll
        for (int t = 0; t < tensors; ++t) moved.at[t] = at[t] + offset;
        return moved;
    }
};

template <typename T> __device__ __forceinline__ LineStarts<T, 1> lines(const T* x) { return {{x}}; }
template <typename T> __device__ __forceinline__ LineStarts<T, 2> lines(const T* x, const T* y) { return {{x, y}}; }

// The elements at one place of all tensors.
template <typename T, int tensors, int width> struct LineUnit
{
    Elements<T, width> of[tensors];

    __device__ __forceinline__ static LineUnit load(const LineStarts<T, tensors>& from, long long number)
    {
        LineUnit unit;
#pragma unroll
        for (int t = 0; t < tensors; ++t) unit.of[t] = Elements<T, width>::loadWhole(from.at[t], number);
        return unit;
    }

    // f(i + k, element k of each tensor) for all k.
    template <typename F> __device__ __forceinline__ void each(int i, F& f)
    {
#pragma unroll
        for (int k = 0; k < width; ++k) {
            if constexpr (tensors == 1) f(i + k, of[0].at[k]);
            else f(i + k, of[0].at[k], of[1].at[k]);
        }
    }
};

// f(i, element of each tensor) for each i of this thread.
template <typename Line, typename F> __device__ __forceinline__ void eachElement(Line& line, F f)
{
    line.eachUnit([&](int i, auto& unit) { unit.each(i, f); });
}

// The same, where f may change the element of the first tensor for the next pass.
template <typename Line, typename F> __device__ __forceinline__ void changeElements(Line& line, F f)
{
    line.changeUnits([&](int i, auto& unit) { unit.each(i, f); });
}

// y[i] = f(i, element of each tensor).
template <typename Line, typename T, typename F> __device__ __forceinline__ void writeLine(Line& line, T* y, F f)
{
    line.eachUnit([&](int i, auto unit) {
        auto result = unit.of[0];
        auto take = [&](int at, auto... values) { result.at[at - i] = f(at, values...); };
        unit.each(i, take);
        line.put(y, i, result);
    });
}
