using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace CnnNative.Engines.Cpu;

/// <summary>
/// Adaptive average pooling of one plane, separably: the windows of an output row share the sums of their columns, so that rows are
/// read sixteen elements at a time whatever the windows' widths.
/// </summary>
internal static unsafe class AdaptiveAveragePool
{
    /// <summary>y (P, Q) = mean of each window of the plane x (H, W).</summary>
    /// <param name="p">The sizes.</param>
    /// <param name="x">The plane.</param>
    /// <param name="y">Overwritten.</param>
    /// <param name="line">Room for W sums.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(in AdaptivePoolingProblem p, float* x, float* y, float* line)
    {
        var rows = new AdaptiveWindows(p.H, p.P);
        for (var row = 0; row < p.P; row++)
        {
            rows.MoveNext();
            SumRows(x + (long)rows.First * p.W, rows.Length, p.W, line);
            var columns = new AdaptiveWindows(p.W, p.Q);
            for (var column = 0; column < p.Q; column++)
            {
                columns.MoveNext();
                *y++ = Sum(line + columns.First, columns.Length) / ((float)rows.Length * columns.Length);
            }
        }
    }

    /// <summary>dx (H, W) = the shares of all windows that hold the element.</summary>
    /// <param name="p">The sizes.</param>
    /// <param name="dy">Gradient of the plane by the output (P, Q).</param>
    /// <param name="dx">Overwritten.</param>
    /// <param name="line">Room for the W shares that an output row gives to each row of its windows.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(in AdaptivePoolingProblem p, float* dy, float* dx, float* line)
    {
        new Span<float>(dx, checked(p.H * p.W)).Clear();
        var rows = new AdaptiveWindows(p.H, p.P);
        for (var row = 0; row < p.P; row++, dy += p.Q)
        {
            rows.MoveNext();
            Spread(p, dy, rows.Length, line);
            for (var h = rows.First; h < rows.End; h++) AddTo(dx + (long)h * p.W, line, p.W);
        }
    }

    /// <summary>line[w] = the sum of column w over so many rows.</summary>
    private static void SumRows(float* x, int rows, int width, float* line)
    {
        for (var w = 0; w < width; w += Lanes.Count)
        {
            var sum = Vector512<float>.Zero;
            for (var h = 0; h < rows; h++) sum += Lanes.LoadFirst(x + (long)h * width + w, width - w);
            sum.StoreFirst(line + w, width - w);
        }
    }

    private static float Sum(float* line, int count)
    {
        var lanes = Vector512<float>.Zero;
        var w = 0;
        for (; w + Lanes.Count <= count; w += Lanes.Count) lanes += Vector512.Load(line + w);
        var sum = w > 0 ? Vector512.Sum(lanes) : 0f;
        for (; w < count; w++) sum += line[w];
        return sum;
    }

    /// <summary>line[w] = what element w of a row gets from the windows of one output row, which are so many rows high.</summary>
    private static void Spread(in AdaptivePoolingProblem p, float* dy, int height, float* line)
    {
        new Span<float>(line, p.W).Clear();
        var columns = new AdaptiveWindows(p.W, p.Q);
        for (var column = 0; column < p.Q; column++)
        {
            columns.MoveNext();
            var share = dy[column] / ((float)height * columns.Length);
            for (var w = columns.First; w < columns.End; w++) line[w] += share;
        }
    }

    private static void AddTo(float* row, float* line, int width)
    {
        for (var w = 0; w < width; w += Lanes.Count)
            (Lanes.LoadFirst(row + w, width - w) + Lanes.LoadFirst(line + w, width - w)).StoreFirst(row + w, width - w);
    }
}
