using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>What is done to a finished tile while it is in the cache: y = activation(c + bias).</summary>
/// <param name="rowBias">One number per row, or null.</param>
/// <param name="columnBias">One number per column, or null.</param>
/// <param name="activation">A function for which <see cref="CanFuse"/> holds.</param>
internal readonly unsafe struct Epilogue(float* rowBias, float* columnBias, ActivationKind activation)
{
    private readonly float* rowBias = rowBias;
    private readonly float* columnBias = columnBias;
    private readonly ActivationKind activation = activation;

    private bool IsNothing => rowBias == null && columnBias == null && activation == ActivationKind.Identity;

    /// <summary>Whether a function is cheap enough to be done tile by tile; the others are one pass over the whole result.</summary>
    public static bool CanFuse(ActivationKind activation) => activation is ActivationKind.Identity or ActivationKind.Relu or ActivationKind.Relu6;

    /// <summary>The function itself if it is done here, else none.</summary>
    public static ActivationKind Fused(ActivationKind activation) => CanFuse(activation) ? activation : ActivationKind.Identity;

    /// <summary>The epilogue of the rows from the given one on.</summary>
    public Epilogue AtRow(int row) => new(rowBias == null ? null : rowBias + row, columnBias, activation);

    /// <summary>The epilogue of the transposed tile: what belongs to rows belongs to columns.</summary>
    public Epilogue Transposed() => new(columnBias, rowBias, activation);

    /// <summary>Finishes the tile of c that begins at (row, column).</summary>
    public void Apply(float* c, nint cRow, int row, int rows, int column, int columns)
    {
        if (IsNothing) return;
        var own = columnBias == null ? null : columnBias + column;
        for (var i = 0; i < rows; i++)
        {
            var shared = rowBias == null ? 0f : rowBias[row + i];
            if (activation == ActivationKind.Identity) AddBias(c + i * cRow, columns, shared, own);
            else AddBiasAndClamp(c + i * cRow, columns, shared, own);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddBias(float* c, int columns, float shared, float* own)
    {
        var j = 0;
        for (; j <= columns - Vector512<float>.Count; j += Vector512<float>.Count)
        {
            var value = Vector512.Load(c + j) + Vector512.Create(shared);
            if (own != null) value += Vector512.Load(own + j);
            value.Store(c + j);
        }

        for (; j < columns; j++) c[j] = own == null ? c[j] + shared : c[j] + shared + own[j];
    }

    /// <summary>Comparisons, not Min and Max, so that NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AddBiasAndClamp(float* c, int columns, float shared, float* own)
    {
        var (low, high) = Bounds(activation);
        Vector512<float> lows = Vector512.Create(low), highs = Vector512.Create(high);
        var j = 0;
        for (; j <= columns - Vector512<float>.Count; j += Vector512<float>.Count)
        {
            var value = Vector512.Load(c + j) + Vector512.Create(shared);
            if (own != null) value += Vector512.Load(own + j);
            value = Vector512.ConditionalSelect(Vector512.LessThan(value, lows), lows, value);
            Vector512.ConditionalSelect(Vector512.GreaterThan(value, highs), highs, value).Store(c + j);
        }

        for (; j < columns; j++)
        {
            var value = c[j] + shared;
            if (own != null) value += own[j];
            c[j] = value < low ? low : value > high ? high : value;
        }
    }

    private static (float Low, float High) Bounds(ActivationKind activation) => activation switch
    {
        ActivationKind.Relu => (0f, float.PositiveInfinity),
        ActivationKind.Relu6 => (0f, 6f),
        _ => (float.NegativeInfinity, float.PositiveInfinity),
    };
}
