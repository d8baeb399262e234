using CnnNative.Layers;
using CnnNative.Optimizers;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Layers;

/// <summary>
/// A small network with PyTorch's weights, loaded under PyTorch's keys, trained for five steps: losses, weights and
/// running statistics are those of PyTorch in float64.
/// </summary>
[EngineFixtures]
public sealed class NetworkGoldenTests(EngineUnderTest engine) : EngineTests(engine)
{
    /// <summary>PyTorch itself in float32 is off by up to 1.8e-7 after these five steps.</summary>
    private const double Tolerance = 1e-6;

    [Test]
    public void TrainsAsPyTorch([Values] Layout layout)
    {
        var golden = Golden.Read("network").Single();
        var model = new Sequential(
            new Conv2d(1, 6, 5, padding: 2, device: Device), new BatchNorm2d(6, device: Device), new ReLU(), new MaxPool2d(2),
            new Conv2d(6, 8, 3, groups: 2, bias: false, device: Device), new ReLU(), new AvgPool2d(2), new Flatten(), new Linear(32, 10, device: Device));
        try
        {
            using (Device.Step()) model.LoadStateDict(State(golden, "before.", model));
            using var optimizer = new Sgd(model.Parameters(), golden.Float("lr"), golden.Float("momentum"));
            var losses = new float[golden.Int("steps")];
            for (var step = 0; step < losses.Length; step++)
            {
                using var scope = Device.Step();
                var loss = Functional.CrossEntropy(model.Forward(golden.Tensor($"x{step}", Device, layout)), Labels(golden, step));
                loss.Backward();
                optimizer.Step();
                losses[step] = loss.Item();
            }

            Agreement.Within(losses, golden["losses"].Values, Tolerance, "losses");
            foreach (var (key, tensor) in model.StateDict())
            {
                if (tensor.DType == DType.Float32) Agreement.Within(tensor.ToArray<float>(), golden["after." + key].Values, Tolerance, key);
                else Assert.That(tensor.ToArray<long>(), Is.EqualTo(golden["after." + key].Longs), key);
            }

            model.Eval();
            using var inference = Device.Inference();
            Agreement.Within(model.Forward(golden.Tensor("x0", Device, layout)).ToArray<float>(), golden["scores"].Values, Tolerance, "scores");
        }
        finally
        {
            model.DisposeParameters();
        }
    }

    private Tensor Labels(GoldenCase golden, int step) => Tensor.From(golden[$"labels{step}"].Longs, golden[$"labels{step}"].Shape, Device);

    private Dictionary<string, Tensor> State(GoldenCase golden, string prefix, Module model) =>
        golden.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(
            name => name[prefix.Length..],
            name => model.StateDict()[name[prefix.Length..]].DType == DType.Int64
                ? Tensor.From(golden[name].Longs, golden[name].Shape, Device)
                : golden.Tensor(name, Device));
}
