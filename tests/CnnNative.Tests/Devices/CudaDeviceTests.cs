using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>A device of the CUDA driver: copies, memory, errors.</summary>
[TestFixture, LeakGuard]
public sealed class CudaDeviceTests : IDeviceFixture
{
    private CudaDevice? device;

    public Device Device => Cuda;

    private CudaDevice Cuda => device ?? throw new InvalidOperationException("the fixture is not set up");

    [OneTimeSetUp]
    public void Open() => device = CudaUnderTest.Open();

    [OneTimeTearDown]
    public void Close() => device?.Dispose();

    // The staging pieces hold 4 MiB each: a part, exactly one, and many with a tail.
    [TestCase(1)]
    [TestCase(443)]
    [TestCase(1 << 20)]
    [TestCase((3 << 20) + 5)]
    public void What_goes_there_comes_back(int count)
    {
        var elements = new float[count];
        for (var i = 0; i < count; i++) elements[i] = i * 0.5f;
        using var tensor = Tensor.From(elements, [count], Cuda);
        Assert.That(tensor.ToArray<float>(), Is.EqualTo(elements));
    }

    [Test]
    public void Tensors_move_between_devices()
    {
        using var host = Tensor.From([1f, 2f, 3f], [3], CpuDevice.Shared);
        using var there = host.To(Cuda);
        using var back = there.To(CpuDevice.Shared);
        Assert.That(back.ToArray<float>(), Is.EqualTo(new[] { 1f, 2f, 3f }));
    }

    [Test]
    public void Running_out_of_memory_says_how_much_there_is()
    {
        var error = Assert.Throws<GpuOutOfMemoryException>(() => Tensor.Empty([1 << 20, 1 << 20], device: Cuda))!;
        Assert.That(error.Message, Does.Contain("cuda:0").And.Contain("4,398,046,511,104"));
        Assert.That(error.TotalBytes, Is.EqualTo(Cuda.Info.TotalBytes));
        Assert.That(error.FreeBytes, Is.GreaterThan(0).And.LessThanOrEqualTo(error.TotalBytes));
    }

    [Test]
    public void A_second_round_asks_the_driver_for_nothing()
    {
        for (var round = 0; round < 2; round++)
        {
            var before = Cuda.Memory.Statistics.BackendAllocations;
            using (var a = Tensor.Empty([1000, 77], device: Cuda)) Assert.That(a.Count, Is.EqualTo(77_000));
            if (round == 1) Assert.That(Cuda.Memory.Statistics.BackendAllocations, Is.EqualTo(before));
        }
    }
}
