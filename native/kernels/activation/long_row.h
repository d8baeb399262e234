// Rows that are too long for registers: a block keeps them in shared memory, or reads them again in each pass (from L2, if it is lucky).
//
// A row of any length and place is read in units of 16 bytes: those are where memory is a multiple of 16, and the elements before and
// behind them go to one thread each. So an odd vocabulary costs no more than an even one.
#pragma once

#include "activation/line.h"
#include "common/tensor_core.h"

constexpr int longRowThreads = 512;

// How a row is divided: `head` single elements, `units` of `width`, and single elements again.
template <typename T, int width> struct RowDivision
{
    int size, head, units;

    __device__ __forceinline__ RowDivision(const T* row, int size)
        : size(size), head(min(size, (int)(-(reinterpret_cast<uintptr_t>(row) / sizeof(T)) % width))), units((size - head) / width)
    {
    }

    // The single element of a thread; there is none if it is not less than `size`.
    __device__ __forceinline__ int single(int rank) const { return rank < head ? rank : rank + units * width; }
};

// What holders of long rows share.
template <typename T, int width, int tensors> struct LongRow
{
    RowDivision<T, width> division;
    LineStarts<T, tensors> rows, firstUnits;

    __device__ __forceinline__ LongRow(LineStarts<T, tensors> rows, int size)
        : division(rows.at[0], size), rows(rows), firstUnits(rows + division.head)
    {
    }

    __device__ __forceinline__ int indexOf(int unit) const { return division.head + unit * width; }

    template <int elements> __device__ __forceinline__ void put(T* y, int i, const Elements<T, elements>& result) const { result.store(y + i, 0); }

    template <typename Operation> __device__ __forceinline__ float reduce(float value, Operation operation) const
    {
        return blockReduce<longRowThreads>(value, operation);
    }

    __device__ __forceinline__ bool leads() const { return threadIdx.x == 0; }
};

// Units of 16 bytes in memory as Stored in dynamic shared memory: floats, which are twice as large as 16 bits and lie in two planes, so that
// neighbouring threads use neighbouring banks. A thread meets only what it has put there itself, so nobody waits.
template <typename T, typename Stored> struct KeptUnits
{
    static constexpr int width = vectorWidth<T>, planes = width / vectorWidth<Stored>;
    int units;  // of a row

    // Begins to copy a unit as it is; only where Stored is T.
    __device__ __forceinline__ void copy(int row, int unit, const T* from) const
    {
        static_assert(planes == 1, "what is converted passes through registers");
        copyAsync<16>(sharedAddress(&place(row, unit, 0)), from + (long long)unit * width);
    }

    __device__ __forceinline__ void put(int row, int unit, const Elements<T, width>& values) const
    {
#pragma unroll
        for (int plane = 0; plane < planes; ++plane) {
            Vector<Stored> part;
#pragma unroll
            for (int k = 0; k < part.width; ++k) part[k] = values.at[plane * part.width + k];
            place(row, unit, plane) = pack(part);
        }
    }

    __device__ __forceinline__ Elements<T, width> get(int row, int unit) const
    {
        Elements<T, width> values;
#pragma unroll
        for (int plane = 0; plane < planes; ++plane) {
            const Vector<Stored> part = unpack<Stored>(place(row, unit, plane));
#pragma unroll
            for (int k = 0; k < part.width; ++k) values.at[plane * part.width + k] = part[k];
        }
        return values;
    }

private:
    __device__ __forceinline__ uint4& place(int row, int unit, int plane) const
    {
        extern __shared__ uint4 keptUnits[];
        return keptUnits[(row * planes + plane) * units + unit];
    }
};

// Stored is float where elements are changed, else T: half the room for 16 bits.
template <typename T, typename Stored, int tensors> struct KeptRow : LongRow<T, vectorWidth<T>, tensors>
{
    static constexpr bool kept = true;
    static constexpr int width = vectorWidth<T>, together = 4;  // conversions of a thread in flight
    using Unit = LineUnit<T, tensors, width>;
    using Single = LineUnit<T, tensors, 1>;
    KeptUnits<T, Stored> memory;
    Single single;
    int singleIndex;

    __device__ __forceinline__ KeptRow(LineStarts<T, tensors> rows, int size)
        : LongRow<T, width, tensors>(rows, size), memory{this->division.units}, single(), singleIndex(this->division.single(threadIdx.x))
    {
        if (singleIndex < size) single = Single::load(rows, singleIndex);
        if constexpr (KeptUnits<T, Stored>::planes == 1) copyUnits();
        else convertUnits();
    }

    template <typename G> __device__ __forceinline__ void eachUnit(G g) { walk<false>(g); }
    template <typename G> __device__ __forceinline__ void changeUnits(G g) { walk<true>(g); }

private:
    // All copies of a thread are in flight at once.
    __device__ __forceinline__ void copyUnits() const
    {
        for (int number = threadIdx.x; number < memory.units; number += longRowThreads) {
#pragma unroll
            for (int t = 0; t < tensors; ++t) memory.copy(t, number, this->firstUnits.at[t]);
        }
        commitCopies();
        waitCopies<0>();
    }

    __device__ __forceinline__ void convertUnits() const
    {
        for (int first = threadIdx.x; first < memory.units; first += together * longRowThreads) {
            Unit unit[together];
#pragma unroll
            for (int j = 0; j < together; ++j)
                if (first + j * longRowThreads < memory.units) unit[j] = Unit::load(this->firstUnits, first + j * longRowThreads);
#pragma unroll
            for (int j = 0; j < together; ++j) {
                if (first + j * longRowThreads >= memory.units) continue;
#pragma unroll
                for (int t = 0; t < tensors; ++t) memory.put(t, first + j * longRowThreads, unit[j].of[t]);
            }
        }
    }

    template <bool change, typename G> __device__ __forceinline__ void walk(G& g)
    {
        for (int number = threadIdx.x; number < memory.units; number += longRowThreads) {
            Unit unit;
#pragma unroll
            for (int t = 0; t < tensors; ++t) unit.of[t] = memory.get(t, number);
            g(this->indexOf(number), unit);
            if constexpr (change) memory.put(0, number, unit.of[0]);
        }
        if (singleIndex < this->division.size) g(singleIndex, single);
    }
};

template <typename T, int width, int tensors> struct StreamedRow : LongRow<T, width, tensors>
{
    static constexpr bool kept = false;

    __device__ __forceinline__ StreamedRow(LineStarts<T, tensors> rows, int size) : LongRow<T, width, tensors>(rows, size) {}

    template <typename G> __device__ __forceinline__ void eachUnit(G g)
    {
        for (int number = threadIdx.x; number < this->division.units; number += longRowThreads) {
            auto unit = LineUnit<T, tensors, width>::load(this->firstUnits, number);
            g(this->indexOf(number), unit);
        }
        const int index = this->division.single(threadIdx.x);
        if (index >= this->division.size) return;
        auto single = LineUnit<T, tensors, 1>::load(this->rows, index);
        g(index, single);
    }
};

// Whether tensors lie alike beside multiples of 16 bytes, so that the units of their rows coincide.
template <typename T, typename... Others> __device__ __forceinline__ bool unitsCoincide(const T* first, const Others*... others)
{
    return (((reinterpret_cast<uintptr_t>(first) ^ reinterpret_cast<uintptr_t>(others)) | ...) & 15) == 0;
}

// Calls f with rows that this block keeps as Stored if it may; `wide` as unitsCoincide says.
template <typename Stored, typename T, int tensors, typename F>
__device__ __forceinline__ void withLongRow(LineStarts<T, tensors> rows, int size, int keeps, bool wide, F f)
{
    if (!wide) f(StreamedRow<T, 1, tensors>(rows, size));
    else if (keeps) f(KeptRow<T, Stored, tensors>(rows, size));
    else f(StreamedRow<T, vectorWidth<T>, tensors>(rows, size));
}
