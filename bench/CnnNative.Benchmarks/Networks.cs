using CnnNative.Layers;
using CnnNative.Optimizers;

namespace CnnNative.Benchmarks;

/// <summary>The networks of the comparison, with stochastic gradient descent and momentum.</summary>
internal static class Networks
{
    /// <summary>LeNet-5 (LeCun et al., 1998) in today's form: (N, 1, 28, 28) -> (N, 10).</summary>
    public static TrainingStep LeNet5(CpuDevice device) => new(
        device,
        new Sequential(
            new Conv2d(1, 6, 5, padding: 2, device: device), new ReLU(), new MaxPool2d(2),
            new Conv2d(6, 16, 5, device: device), new ReLU(), new MaxPool2d(2),
            new Flatten(),
            new Linear(400, 120, device: device), new ReLU(), new Linear(120, 84, device: device), new ReLU(), new Linear(84, 10, device: device)));

    /// <summary>A small network of three convolutions with dropout: (N, 3, 32, 32) -> (N, 10).</summary>
    public static TrainingStep MyCnn(CpuDevice device) => new(
        device,
        new Sequential(
            new Conv2d(3, 16, 3, padding: 1, device: device), new MaxPool2d(2), new ReLU(), new Dropout2d(0.2f),
            new Conv2d(16, 32, 3, padding: 1, device: device), new MaxPool2d(2), new ReLU(), new Dropout2d(0.2f),
            new Conv2d(32, 64, 3, padding: 1, device: device), new MaxPool2d(2), new ReLU(), new Dropout2d(0.2f),
            new Flatten(),
            new Linear(1024, 128, device: device), new ReLU(), new Dropout(0.5f), new Linear(128, 10, device: device)));
}

/// <summary>One step of training through the public interface: what a user writes.</summary>
internal sealed class TrainingStep(CpuDevice device, Module model) : IDisposable
{
    private readonly Sgd optimizer = new(model.Parameters(), learningRate: 0.05f, momentum: 0.9f);

    public void Run(Tensor images, Tensor labels)
    {
        using var step = device.Step();
        var loss = Functional.CrossEntropy(model.Forward(images), labels);
        loss.Backward();
        optimizer.Step();
    }

    public void Dispose() => model.DisposeParameters();
}
