namespace CnnNative.Engines.Cpu;

/// <summary>
/// Convolution and its gradients. A 1x1 convolution is a matrix product per image (<see cref="GemmBlock"/>). A dense 3x3
/// convolution of many channels goes by tiles (<see cref="WinogradConvolution"/>). Everything else reads padded images in
/// place, tap by tap (<see cref="TapPass"/>): no matrix of columns is ever written. The data gradient is the same
/// computation with the gradient as the image and turned filters. Tensors in NHWC are converted on the way in and out.
/// No sum depends on the number of threads.
/// </summary>
internal sealed unsafe class CpuConvolution(CpuThreads threads, CpuScratch scratch) : IConvolution
{
    public void Forward(in ConvolutionProblem problem, Tensor x, Tensor w, Tensor? bias, ActivationKind activation, Tensor y)
    {
        if (y.Count == 0) return;
        using (var xView = NchwView.Read(x))
        using (var wView = NchwView.Read(w))
        using (var bView = NchwView.Read(bias))
        using (var yView = NchwView.Write(y))
        {
            var epilogue = new Epilogue(bView, null, Epilogue.Fused(activation));
            if (problem.IsPointwise) ForwardPointwise(problem, xView, wView, yView, epilogue);
            else if (WinogradTiles.Serve(problem)) WinogradConvolution.Forward(problem, xView, wView, yView, epilogue, threads, scratch);
            else ForwardTaps(problem, xView, wView, yView, epilogue);
        }

        if (!Epilogue.CanFuse(activation)) y.Device.Engine.Activation.Forward(activation, y, y);
    }

    public void BackwardData(in ConvolutionProblem problem, Tensor dy, Tensor w, Tensor dx)
    {
        if (dx.Count == 0) return;
        using var dyView = NchwView.Read(dy);
        using var wView = NchwView.Read(w);
        using var dxView = NchwView.Write(dx);
        if (problem.IsPointwise)
        {
            int channels = problem.C / problem.Groups, filters = problem.K / problem.Groups;
            MultiplyImages(problem, channels, filters, GemmRows.Strided(wView, 1, channels), dyView, dxView, default);
        }
        else if (problem.PaddingMode == PaddingMode.Zeros || !problem.HasPadding)
        {
            BackwardZeroPaddedData(problem, dyView, wView, dxView);
        }
        else
        {
            BackwardPaddedData(problem, dyView, wView, dxView);
        }
    }

    public void BackwardWeight(in ConvolutionProblem problem, Tensor x, Tensor dy, Tensor dw)
    {
        if (dw.Count == 0) return;
        using var xView = NchwView.Read(x);
        using var dyView = NchwView.Read(dy);
        using var dwView = NchwView.Write(dw);
        if (problem.IsPointwise) PointwiseWeightGradient.Run(problem, xView, dyView, dwView, threads, scratch);
        else if (WinogradTiles.Serve(problem)) WinogradWeightGradient.Run(problem, xView, dyView, dwView, threads, scratch);
        else WeightGradient.Run(problem, xView, dyView, dwView, threads, scratch);
    }

    public void BackwardBias(Tensor dy, Tensor db)
    {
        using var dyView = NchwView.Read(dy);
        using var dbView = NchwView.Write(db);
        float* source = dyView, target = dbView;
        int images = dy.Shape[0], filters = dy.Shape[1];
        var pixels = (int)dy.Shape.CountFrom(2);
        threads.For(filters, Math.Max(1, 65536 / Math.Max(1, images * pixels)), (first, last) =>
        {
            for (var k = first; k < last; k++)
            {
                var sum = 0f;
                for (var n = 0; n < images; n++) sum += RowSum.Of(source + (n * filters + k) * pixels, pixels);
                target[k] = sum;
            }
        });
    }

    private void ForwardPointwise(in ConvolutionProblem problem, float* x, float* w, float* y, in Epilogue epilogue)
    {
        int channels = problem.C / problem.Groups, filters = problem.K / problem.Groups;
        MultiplyImages(problem, filters, channels, GemmRows.Strided(w, channels, 1), x, y, epilogue);
    }

    /// <summary>y (rows, pixels) = a (rows, depth) x (depth, pixels) for every image and group.</summary>
    private void MultiplyImages(in ConvolutionProblem problem, int rows, int depth, GemmRows a, float* x, float* y, Epilogue epilogue)
    {
        int pixels = problem.H * problem.W, groups = problem.Groups, products = problem.N * groups;
        var group = (nint)rows * depth;
        var split = GemmSplit.Choose(rows, pixels, depth, products, threads.Count);
        threads.For((long)products * split.Blocks, Math.Max(1, (1L << 17) / ((long)split.M * split.N * depth / split.Blocks + 1)), (first, last) =>
        {
            for (var item = first; item < last; item++)
            {
                var product = item / split.Blocks;
                var index = (int)(product % groups);
                var b = new MatrixColumns(x + product * depth * pixels, pixels, 1, inPlace: false);
                var area = split.Area((int)(item % split.Blocks));
                GemmBlock.Multiply(a.Shift(index * group), b, depth, area, y + product * rows * pixels, pixels, epilogue.AtRow(index * rows), scratch);
            }
        });
    }

    private void ForwardTaps(in ConvolutionProblem problem, float* x, float* w, float* y, in Epilogue epilogue)
    {
        var planes = new ImagePlanes(problem);
        int filters = problem.K / problem.Groups, depth = problem.C / problem.Groups * problem.R * problem.S, pixels = problem.P * problem.Q;
        using var lease = scratch.Rent(TapList.Floats(depth));
        var taps = TapList.Forward(problem, planes, lease);
        var shape = new TapConvolution(filters, depth, planes.Pitch, new TapOutput(problem.P, problem.Q, pixels, problem.Q, 1));
        new TapPass(threads, scratch)
        {
            Images = problem.N,
            Groups = problem.Groups,
            Channels = problem.C / problem.Groups,
            ChannelLength = problem.H * problem.W,
            OutputLength = (nint)filters * pixels,
            Planes = planes,
            Jobs = [new TapJob(shape, GemmRows.Strided(w, depth, 1), (nint)filters * depth, (nint)taps, 0, 0)],
        }.Run(x, y, epilogue);
    }

    private void BackwardZeroPaddedData(in ConvolutionProblem problem, float* dy, float* w, float* dx)
    {
        if (WinogradConvolution.ServesDataGradient(problem)) WinogradConvolution.DataGradient(problem, dy, w, dx, threads, scratch);
        else DataGradient.Run(problem, dy, w, dx, threads, scratch);
    }

    /// <summary>With padding taken from the image: the gradient of the padded image, whose border then goes back to the pixels that it came from.</summary>
    private void BackwardPaddedData(in ConvolutionProblem problem, float* dy, float* w, float* dx)
    {
        var padded = problem with
        {
            H = problem.H + problem.PadTop + problem.PadBottom,
            W = problem.W + problem.PadLeft + problem.PadRight,
            PadTop = 0,
            PadBottom = 0,
            PadLeft = 0,
            PadRight = 0,
        };
        var original = problem;
        using var lease = scratch.Rent((long)padded.N * padded.C * padded.H * padded.W);
        var gradient = lease.Pointer;
        BackwardZeroPaddedData(padded, dy, w, gradient);
        threads.For((long)padded.N * padded.C, 8, (first, last) =>
        {
            for (var channel = first; channel < last; channel++)
                PaddingIndex.Fold(original, gradient + channel * padded.H * padded.W, dx + channel * original.H * original.W);
        });
    }
}
