using CnnNative.Layers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Functions;

/// <summary>The batch normalisation layers against PyTorch's in float64: output, gradients and running statistics.</summary>
[EngineFixtures]
public sealed class BatchNormGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    private static IEnumerable<TestCaseData> Cases => Golden.Cases("normalization");

    private static IEnumerable<TestCaseData> Images => Cases.Where(data => ((GoldenCase)data.Arguments[0]!)["y"].Shape.Rank == 4);

    [TestCaseSource(nameof(Cases))]
    public void Nchw(GoldenCase golden) => Check(golden, Layout.Nchw);

    [TestCaseSource(nameof(Images))]
    public void Nhwc(GoldenCase golden) => Check(golden, Layout.Nhwc);

    private void Check(GoldenCase golden, Layout layout)
    {
        var layer = Create(golden);
        try
        {
            using var scope = Device.Step();
            var x = golden.Tensor("x0", Device, layout, requiresGrad: true);
            var y = layer.Forward(x);
            for (var batch = 1; batch < golden.Int("batches"); batch++)
            {
                x = golden.Tensor($"x{batch}", Device, layout, requiresGrad: true);
                y = layer.Forward(x);
            }

            y.Backward(golden.Tensor("dy", Device, layout));
            var naive = BatchNormReference.InFloat(golden);
            Agreement.Check(y.ToArray<float>(), golden["y"].Values, naive.Y, "y");
            Agreement.Check(x.Grad!.ToArray<float>(), golden["dx"].Values, naive.Dx, "dx");
            if (golden.Bool("affine"))
            {
                Agreement.Check(layer.Weight!.Grad!.ToArray<float>(), golden["dgamma"].Values, naive.Dgamma, "dgamma");
                Agreement.Check(layer.Bias!.Grad!.ToArray<float>(), golden["dbeta"].Values, naive.Dbeta, "dbeta");
            }

            if (golden.Bool("track")) CheckStatistics(layer, golden, naive);
        }
        finally
        {
            layer.DisposeParameters();
        }
    }

    private static void CheckStatistics(BatchNorm layer, GoldenCase golden, BatchNormResult naive)
    {
        Agreement.Check(layer.RunningMean!.ToArray<float>(), golden["new_running_mean"].Values, naive.RunningMean, "running mean");
        Agreement.Check(layer.RunningVariance!.ToArray<float>(), golden["new_running_var"].Values, naive.RunningVariance, "running variance");
        Assert.That(layer.StateDict()["num_batches_tracked"].ToArray<long>(), Is.EqualTo(golden["new_num_batches_tracked"].Longs));
    }

    private BatchNorm Create(GoldenCase golden)
    {
        var shape = golden["y"].Shape;
        var (eps, momentum, affine, track) = (golden.Float("eps"), golden.FloatOrNull("momentum"), golden.Bool("affine"), golden.Bool("track"));
        BatchNorm layer = shape.Rank == 4
            ? new BatchNorm2d(shape[1], eps, momentum, affine, track, Device)
            : new BatchNorm1d(shape[1], eps, momentum, affine, track, Device);
        if (affine)
        {
            layer.Weight!.CopyFrom<float>(golden["gamma"].Floats);
            layer.Bias!.CopyFrom<float>(golden["beta"].Floats);
        }

        if (track)
        {
            layer.RunningMean!.CopyFrom<float>(golden["running_mean"].Floats);
            layer.RunningVariance!.CopyFrom<float>(golden["running_var"].Floats);
        }

        layer.Train(golden.Bool("train"));
        return layer;
    }
}
