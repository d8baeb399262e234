using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>
/// Cross-entropy fused with softmax, and top-1 hits. Labels are read on the device: one that is neither a class nor ignored gives
/// a loss and a gradient of NaN.
/// </summary>
internal sealed class NativeLoss(NativeContext context) : ILoss
{
    public void CrossEntropyForward(
        Tensor logits, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor probabilities, Tensor loss, Tensor divisor)
    {
        Check(nameof(CrossEntropyForward), labels, weights);
        var lines = AxisLines.Along(logits, axis: 1);
        var problem = new CrossEntropyProblem(lines, settings);
        var (team, launch, kept) = LineLaunch.Forward(lines, context.Info.MaxSharedBytesPerBlock);
        var keeps = kept ? 1 : 0;
        var blocks = lines.Count == 0 ? 0 : launch.Grid.X;
        using var x = logits.OnDevice();
        using var t = labels.OnDevice();
        using var w = weights.OnDevice();
        using var p = probabilities.OnDevice();
        using var result = loss.OnDevice();
        using var divided = divisor.OnDevice();
        using var partials = context.Rent(Math.Max(1, blocks) * 2L * sizeof(float));
        if (blocks > 0)
        {
            switch (team)
            {
                case LineTeam.ShortRow: context.Kernels.CrossEntropyShortRowsForward(logits.DType, launch, x, t, w, problem, p, partials); break;
                case LineTeam.Warp: context.Kernels.CrossEntropyRowsForward(logits.DType, launch, x, t, w, problem, p, partials); break;
                case LineTeam.Block: context.Kernels.CrossEntropyBlockRowsForward(logits.DType, launch, x, t, w, problem, p, partials); break;
                case LineTeam.LongRow: context.Kernels.CrossEntropyLongRowsForward(logits.DType, launch, x, t, w, problem, keeps, p, partials); break;
                case LineTeam.Thread: context.Kernels.CrossEntropyColumnsForward(logits.DType, launch, x, t, w, problem, p, partials); break;
                default: context.Kernels.CrossEntropyLongColumnsForward(logits.DType, launch, x, t, w, problem, keeps, p, partials); break;
            }
        }

        context.Kernels.CrossEntropyFinish(loss.DType, new(1, MapLaunch.Threads), partials, blocks, problem.Mean, result, divided);
    }

    public void CrossEntropyBackward(
        Tensor probabilities, Tensor labels, Tensor? weights, in CrossEntropySettings settings, Tensor divisor, Tensor dloss, Tensor dlogits)
    {
        if (dlogits.Count == 0) return;
        Check(nameof(CrossEntropyBackward), labels, weights);
        var lines = AxisLines.Along(probabilities, axis: 1);
        var problem = new CrossEntropyProblem(lines, settings);
        using var p = probabilities.OnDevice();
        using var t = labels.OnDevice();
        using var w = weights.OnDevice();
        using var divided = divisor.OnDevice();
        using var gradient = dloss.OnDevice();
        using var dx = dlogits.OnDevice();
        if (lines.Inner > 1)
            context.Kernels.CrossEntropyColumnsBackward(dlogits.DType, MapLaunch.Over(lines.Count), p, t, w, problem, divided, gradient, dx);
        else if (LineLaunch.Forward(lines, context.Info.MaxSharedBytesPerBlock) is { Team: LineTeam.ShortRow } shortRows)
            context.Kernels.CrossEntropyShortRowsBackward(dlogits.DType, shortRows.Launch, p, t, w, problem, divided, gradient, dx);
        else if (lines.Size > LineLaunch.BlockRowLimit)
            context.Kernels.CrossEntropyLongRowsBackward(dlogits.DType, BackwardLaunch(lines), p, t, w, problem, divided, gradient, dx);
        else
            context.Kernels.CrossEntropyRowsBackward(dlogits.DType, BackwardLaunch(lines), p, t, w, problem, divided, gradient, dx);
    }

    public void CountHits(Tensor scores, Tensor labels, Tensor hits)
    {
        Require.DType(nameof(CountHits), nameof(labels), labels, DType.Int64);
        Require.DType(nameof(CountHits), nameof(hits), hits, DType.Int64);
        using var x = scores.OnDevice();
        using var t = labels.OnDevice();
        using var count = hits.OnDevice();
        context.Stream.Fill(count, 0, hits.Bytes);
        if (labels.Count == 0) return;
        var rows = Index32.Of(nameof(CountHits), labels.Count);
        context.Kernels.CountHits(scores.DType, MapLaunch.Warps(rows), x, t, rows, scores.Shape[1], count);
    }

    /// <summary>A warp per row and stretch of classes, or a block per long row.</summary>
    internal static LaunchConfiguration BackwardLaunch(in AxisLines lines)
    {
        if (lines.Size > LineLaunch.BlockRowLimit) return new(Index32.Of("lines", lines.Count), LineLaunch.LongRowThreads);
        var stretches = (lines.Size + LineLaunch.WarpRowLimit - 1) / LineLaunch.WarpRowLimit;
        return new(new Dim3(MapLaunch.Warps(lines.Count).Grid.X, (int)stretches), MapLaunch.Threads);
    }

    private static void Check(string operation, Tensor labels, Tensor? weights)
    {
        Require.DType(operation, nameof(labels), labels, DType.Int64);
        if (weights is not null) Require.DType(operation, nameof(weights), weights, DType.Float32);
    }
}
