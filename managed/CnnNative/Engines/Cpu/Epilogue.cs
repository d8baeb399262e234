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

    /// <summary>Finishes the tile of c that begins at (row, column).</summary>
    public void Apply(float* c, nint cRow, int row, int rows, int column, int columns)
    {
        if (IsNothing) return;
        for (var i = 0; i < rows; i++)
        {
            Finish(c + i * cRow, columns, rowBias == null ? 0f : rowBias[row + i], columnBias == null ? null : columnBias + column);
        }
    }

    /// <summary>Adds the bias to a row and applies the function.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Finish(float* c, int columns, float shared, float* own)
    {
        var (low, high) = Bounds(activation);
        var j = 0;
        for (; j <= columns - Vector256<float>.Count; j += Vector256<float>.Count)
        {
            var value = Vector256.Load(c + j) + Vector256.Create(shared);
            if (own != null) value += Vector256.Load(own + j);
            // Comparisons, not Min and Max, so that NaN stays NaN.
            value = Vector256.ConditionalSelect(Vector256.LessThan(value, Vector256.Create(low)), Vector256.Create(low), value);
            value = Vector256.ConditionalSelect(Vector256.GreaterThan(value, Vector256.Create(high)), Vector256.Create(high), value);
            value.Store(c + j);
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
