namespace CnnNative.Engines.Cpu;

/// <summary>
/// Two-dimensional pooling, one plane (n, c) after the other. Positions of maxima are in NCHW order whatever the layout
/// of the tensors: only this engine reads them.
/// </summary>
internal sealed unsafe class CpuPooling(CpuThreads threads, CpuScratch scratch) : IPooling
{
    private delegate void PlaneBody(long plane, float* line);

    public void MaxForward(in PoolingProblem problem, Tensor x, Tensor y, Tensor? positions)
    {
        using var source = NchwView.Read(x);
        using var target = NchwView.Write(y);
        switch (positions?.DType)
        {
            case null:
                MaxForward(problem, source, target, default(NoPlaces));
                break;
            case DType.UInt8:
                using (var bytes = positions.Pin<byte>()) MaxForward(problem, source, target, new BytePlaces(bytes));
                break;
            default:
                using (var integers = positions.Pin<int>()) MaxForward(problem, source, target, new IntPlaces(integers));
                break;
        }
    }

    public void MaxBackward(in PoolingProblem problem, Tensor dy, Tensor positions, Tensor dx)
    {
        using var gradient = NchwView.Read(dy);
        using var target = NchwView.Write(dx);
        if (positions.DType == DType.UInt8)
        {
            using var bytes = positions.Pin<byte>();
            MaxBackward(problem, gradient, new BytePlaces(bytes), target);
        }
        else
        {
            using var integers = positions.Pin<int>();
            MaxBackward(problem, gradient, new IntPlaces(integers), target);
        }
    }

    public void AverageForward(in PoolingProblem problem, Tensor x, Tensor y)
    {
        using var pinnedX = NchwView.Read(x);
        using var pinnedY = NchwView.Write(y);
        float* source = pinnedX, target = pinnedY;
        var g = new PoolGeometry(problem);
        threads.For((long)problem.N * problem.C, g.Grain, (first, last) =>
        {
            for (var plane = first; plane < last; plane++)
                AveragePool.Forward(g, source + plane * g.InputPlane, target + plane * g.OutputPlane);
        });
    }

    public void AverageBackward(in PoolingProblem problem, Tensor dy, Tensor dx)
    {
        using var pinnedDy = NchwView.Read(dy);
        using var pinnedDx = NchwView.Write(dx);
        float* gradient = pinnedDy, target = pinnedDx;
        var g = new PoolGeometry(problem);
        threads.For((long)problem.N * problem.C, g.Grain, (first, last) =>
        {
            for (var plane = first; plane < last; plane++)
                AveragePool.Backward(g, gradient + plane * g.OutputPlane, target + plane * g.InputPlane);
        });
    }

    public void AdaptiveAverageForward(in AdaptivePoolingProblem problem, Tensor x, Tensor y)
    {
        if (problem.Even is { } even)
        {
            AverageForward(even, x, y);
            return;
        }

        using var pinnedX = NchwView.Read(x);
        using var pinnedY = NchwView.Write(y);
        float* source = pinnedX, target = pinnedY;
        var p = problem;
        ForEachPlane(p, (plane, line) =>
            AdaptiveAveragePool.Forward(p, source + plane * p.H * p.W, target + plane * p.P * p.Q, line));
    }

    public void AdaptiveAverageBackward(in AdaptivePoolingProblem problem, Tensor dy, Tensor dx)
    {
        if (problem.Even is { } even)
        {
            AverageBackward(even, dy, dx);
            return;
        }

        using var pinnedDy = NchwView.Read(dy);
        using var pinnedDx = NchwView.Write(dx);
        float* gradient = pinnedDy, target = pinnedDx;
        var p = problem;
        ForEachPlane(p, (plane, line) =>
            AdaptiveAveragePool.Backward(p, gradient + plane * p.P * p.Q, target + plane * p.H * p.W, line));
    }

    /// <summary>Calls the body for every plane, with room for a row of x.</summary>
    private void ForEachPlane(AdaptivePoolingProblem problem, PlaneBody body)
    {
        var grain = 1 + (1 << 14) / Math.Max((long)problem.H * problem.W, (long)problem.P * problem.Q);
        threads.For((long)problem.N * problem.C, grain, (first, last) =>
        {
            using var line = scratch.Rent(problem.W);
            for (var plane = first; plane < last; plane++) body(plane, line);
        });
    }

    private void MaxForward<TPlaces>(in PoolingProblem problem, float* x, float* y, TPlaces places) where TPlaces : struct, IPoolPlaces
    {
        var g = new PoolGeometry(problem);
        threads.For((long)problem.N * problem.C, g.Grain, (first, last) => MaxPool.Forward(g, x, y, places, first, last));
    }

    private void MaxBackward<TPlaces>(in PoolingProblem problem, float* dy, TPlaces places, float* dx) where TPlaces : struct, IPoolPlaces
    {
        var g = new PoolGeometry(problem);
        threads.For((long)problem.N * problem.C, g.Grain, (first, last) =>
        {
            if (g.IsHalving && places is BytePlaces bytes) MaxPool.BackwardHalving(g, dy, bytes, first, last, dx);
            else
                for (var plane = first; plane < last; plane++) MaxPool.Backward(g, dy, places, plane, dx);
        });
    }
}
