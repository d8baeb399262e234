// Pooling that halves height and width: windows of 2 x 2, or of 3 x 3 with a padding of 1, in steps of 2. The shapes of nearly every
// network, and the ones where neighbouring threads and rows would ask for the same bytes again.
//
// A thread walks down a strip of rows, and keeps the row that two windows share. Across, it takes
//   RowPiece (NCHW)     `elements` neighbouring elements of x in one access, so that every sector is asked for once, and the half as
//                       many outputs below them; the one column that it shares with its neighbour comes from the neighbour's registers
//   ColumnPiece (NHWC)  16 bytes of channels of one output; the column that it shares is read twice, the second time from L1
// Window 3 covers the columns 2q - 1, 2q, 2q + 1, window 2 the last two: column s is 2q - 1 + s, and the places of a window begin
// with s = 3 - window. Rows likewise. All threads of a warp take part in every call of a piece, for lanes exchange values.
#pragma once

#include "common/elements.h"
#include "common/reduce.h"
#include "pool/places.h"
#include "pool/pool_geometry.h"

// How threads share the work; twin of the C# struct of the same name.
struct HalvingWalk
{
    FastDivisor columns;  // threads across: pieces of a row, or outputs (forward) and pairs of columns (backward)
    FastDivisor strips;   // of output rows (forward) or pairs of rows (backward)
    int stripRows;        // rows in a strip
    int elements;         // NCHW: elements of x in a piece, 2, 4 or 8; NHWC: 0
    int threads;
};

// Where a thread works. Threads past the end take part with nothing to load or store.
struct HalvingPlace
{
    bool active;
    int outer, strip, column, channel;

    __device__ __forceinline__ HalvingPlace(const PoolGeometry& g, const HalvingWalk& walk)
    {
        int index = blockIdx.x * blockDim.x + threadIdx.x;
        active = index < walk.threads;
        index = divide(active ? index : 0, g.channelVectors, channel);
        index = divide(index, walk.columns, column);
        outer = divide(index, walk.strips, strip);
    }
};

// Values of outputs' dy and those of the outputs to the right, 0 where there is none; with the places of maxima, -1 where there is none.
template <int outputs> struct GradientRow
{
    float here[outputs], next[outputs];
    int herePlace[outputs], nextPlace[outputs];
};

template <typename T, int elements> struct RowPiece
{
    static constexpr int outputs = elements / 2;
    HalvingPlace at;
    const PoolGeometry& g;
    int pieces;

    __device__ __forceinline__ RowPiece(const PoolGeometry& g, const HalvingWalk& walk) : at(g, walk), g(g), pieces(walk.columns.divisor) {}

    __device__ __forceinline__ int columnOf(int j) const { return at.column * outputs + j; }
    __device__ __forceinline__ bool has(int s, int j) const { return s > 0 || j > 0 || at.column > 0; }

    // Column s of the window of each output in row h of x; 0 in a row that is not `present`.
    __device__ __forceinline__ void load(const T* x, int h, bool present, float (&columns)[3][outputs]) const
    {
        const long long row = (long long)at.outer * g.height + h;
        Elements<T, elements> values = {};
        if (present) values = Elements<T, elements>::load(x, row * pieces + at.column);
        float left = __shfl_up_sync(allLanes, values.at[elements - 1], 1);
        if (threadIdx.x % warpSize32 == 0) left = present && at.column > 0 ? ::load(x + row * g.width + at.column * elements - 1) : 0.0f;
#pragma unroll
        for (int j = 0; j < outputs; ++j) {
            columns[0][j] = j > 0 ? values.at[2 * j - 1] : left;
            columns[1][j] = values.at[2 * j];
            columns[2][j] = values.at[2 * j + 1];
        }
    }

    __device__ __forceinline__ long long output(int p) const { return ((long long)at.outer * g.outHeight.divisor + p) * pieces + at.column; }

    __device__ __forceinline__ void storeOutputs(T* y, int p, const Elements<T, outputs>& values) const { values.store(y, output(p)); }

    // Right neighbours of the lanes' last outputs.
    template <typename V, typename Load> __device__ __forceinline__ V fromRight(V first, bool present, V none, Load loadFirst) const
    {
        V right = __shfl_down_sync(allLanes, first, 1);
        if (at.column + 1 == pieces) return none;
        if (threadIdx.x % warpSize32 == warpSize32 - 1) right = present ? loadFirst() : none;
        return right;
    }

    __device__ __forceinline__ void loadGradients(const T* dy, int p, bool present, GradientRow<outputs>& row) const
    {
        Elements<T, outputs> values = {};
        if (present) values = Elements<T, outputs>::load(dy, output(p));
        const float right = fromRight(values.at[0], present, 0.0f, [&] { return ::load(dy + (output(p) + 1) * outputs); });
#pragma unroll
        for (int j = 0; j < outputs; ++j) row.here[j] = values.at[j], row.next[j] = j + 1 < outputs ? values.at[j + 1] : right;
    }

    __device__ __forceinline__ void loadPlaces(const unsigned char* places, int p, bool present, GradientRow<outputs>& row) const
    {
#pragma unroll
        for (int j = 0; j < outputs; ++j) row.herePlace[j] = -1;
        if (present) loadBytes(places + output(p) * outputs, row.herePlace);
        const int right = fromRight(row.herePlace[0], present, -1, [&] { return (int)places[(output(p) + 1) * outputs]; });
#pragma unroll
        for (int j = 0; j < outputs; ++j) row.nextPlace[j] = j + 1 < outputs ? row.herePlace[j + 1] : right;
    }

    __device__ __forceinline__ void storePair(T* dx, int h, const float (&even)[outputs], const float (&odd)[outputs]) const
    {
        Elements<T, elements> values;
#pragma unroll
        for (int j = 0; j < outputs; ++j) values.at[2 * j] = even[j], values.at[2 * j + 1] = odd[j];
        values.store(dx, ((long long)at.outer * g.height + h) * pieces + at.column);
    }
};

template <typename T> struct ColumnPiece
{
    static constexpr int outputs = vectorWidth<T>;
    HalvingPlace at;
    const PoolGeometry& g;

    __device__ __forceinline__ ColumnPiece(const PoolGeometry& g, const HalvingWalk& walk) : at(g, walk), g(g) {}

    __device__ __forceinline__ int columnOf(int) const { return at.column; }
    __device__ __forceinline__ bool has(int s, int) const { return (unsigned)(2 * at.column - 1 + s) < (unsigned)g.width; }

    __device__ __forceinline__ void load(const T* x, int h, bool present, float (&columns)[3][outputs]) const
    {
#pragma unroll
        for (int s = 0; s < 3; ++s) {
            Elements<T, outputs> values = {};
            if (present && has(s, 0) && s >= 3 - g.windowWidth) values = Elements<T, outputs>::load(x, vector(h, 2 * at.column - 1 + s, g.height, g.width));
#pragma unroll
            for (int k = 0; k < outputs; ++k) columns[s][k] = values.at[k];
        }
    }

    __device__ __forceinline__ long long vector(int row, int column, int height, int width) const
    {
        return (((long long)at.outer * height + row) * width + column) * g.channelVectors.divisor + at.channel;
    }

    __device__ __forceinline__ long long output(int p) const { return vector(p, at.column, g.outHeight.divisor, g.outWidth.divisor); }

    __device__ __forceinline__ void storeOutputs(T* y, int p, const Elements<T, outputs>& values) const { values.store(y, output(p)); }

    // Whether there is an output `right` columns on.
    __device__ __forceinline__ bool hasOutput(int right) const
    {
        return at.column + right < (int)g.outWidth.divisor && (right == 0 || g.windowWidth == 3);
    }

    __device__ __forceinline__ void loadGradients(const T* dy, int p, bool present, GradientRow<outputs>& row) const
    {
        Elements<T, outputs> here = {}, next = {};
        if (present && hasOutput(0)) here = Elements<T, outputs>::load(dy, output(p));
        if (present && hasOutput(1)) next = Elements<T, outputs>::load(dy, output(p) + g.channelVectors.divisor);
#pragma unroll
        for (int k = 0; k < outputs; ++k) row.here[k] = here.at[k], row.next[k] = next.at[k];
    }

    __device__ __forceinline__ void loadPlaces(const unsigned char* places, int p, bool present, GradientRow<outputs>& row) const
    {
#pragma unroll
        for (int k = 0; k < outputs; ++k) row.herePlace[k] = row.nextPlace[k] = -1;
        if (present && hasOutput(0)) loadBytes(places + output(p) * outputs, row.herePlace);
        if (present && hasOutput(1)) loadBytes(places + (output(p) + g.channelVectors.divisor) * outputs, row.nextPlace);
    }

    __device__ __forceinline__ void storePair(T* dx, int h, const float (&even)[outputs], const float (&odd)[outputs]) const
    {
        Elements<T, outputs> left, right;
#pragma unroll
        for (int k = 0; k < outputs; ++k) left.at[k] = even[k], right.at[k] = odd[k];
        left.store(dx, vector(h, 2 * at.column, g.height, g.width));
        if (2 * at.column + 1 < g.width) right.store(dx, vector(h, 2 * at.column + 1, g.height, g.width));
    }
};

template <typename F, typename Piece> __device__ __forceinline__ void withWindow(const F& f, const Piece& piece)
{
    if (piece.g.windowHeight == 2) f.template operator()<2>(piece);
    else f.template operator()<3>(piece);
}

// Calls f.operator()<window>(piece) with the window and the kind of piece of this launch.
template <typename T, typename F> __device__ __forceinline__ void withPiece(const PoolGeometry& g, const HalvingWalk& walk, const F& f)
{
    switch (walk.elements) {
    case 0: withWindow(f, ColumnPiece<T>(g, walk)); break;
    case 2: withWindow(f, RowPiece<T, 2>(g, walk)); break;
    case 4: withWindow(f, RowPiece<T, 4>(g, walk)); break;
    default:
        if constexpr (sizeof(T) == 2) withWindow(f, RowPiece<T, 8>(g, walk));
    }
}

// Goes down a strip of dx in pairs of rows: f.load(piece, p, present, row) reads row p of dy, and f.store<window>(piece, h, row, next)
// writes rows h and h + 1 of dx from the row of dy above h and the one below. (Members, for the compiler inlines no lambda that is called
// twice.)
template <int window, typename F, typename Piece>
__device__ __forceinline__ void eachPairOfRows(const F& f, const Piece& piece, const HalvingWalk& walk)
{
    const int first = piece.at.strip * walk.stripRows, height = piece.g.outHeight.divisor;
    GradientRow<Piece::outputs> row, next;
    f.load(piece, first, piece.at.active && first < height, row);
    for (int i = 0; i < walk.stripRows; ++i) {
        const int p = first + i;
        if (window == 3 || i + 1 < walk.stripRows) f.load(piece, p + 1, piece.at.active && p + 1 < height, next);
        if (piece.at.active && 2 * p < piece.g.height) f.template store<window>(piece, 2 * p, row, next);
        row = next;
    }
}
