using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Base of tests that hold the native engine against the CPU's, or against facts about its launches.</summary>
[TestFixture, LeakGuard]
public abstract class NativeTests : IDeviceFixture
{
    private CudaDevice? device;
    private CpuDevice? cpu;

    public Device Device => Cuda;

    protected CudaDevice Cuda => device ?? throw new InvalidOperationException("the fixture is not set up");

    protected static DType[] Types { get; } = [DType.Float32, DType.BFloat16, DType.Float16];

    [OneTimeSetUp]
    public void Open() => (device, cpu) = (CudaUnderTest.Open(), new CpuDevice(2));

    [OneTimeTearDown]
    public void Close()
    {
        device?.Dispose();
        cpu?.Dispose();
    }

    protected static float[] Random(long count, int seed, float low = -2f, float high = 2f)
    {
        var random = new Random(seed);
        return Array.ConvertAll(new float[count], _ => low + (high - low) * random.NextSingle());
    }

    /// <summary>
    /// Runs the same on both engines and compares every output, within so many roundings of the largest value; each output is
    /// rounded once to the type, and sums are in Float32 on both sides.
    /// </summary>
    protected void Compare(DType type, double roundings, Func<Side, Tensor[]> body)
    {
        var (actual, expected) = (On(Cuda, type, body), On(cpu!, type, body));
        for (var i = 0; i < expected.Length; i++)
        {
            var largest = expected[i].Where(float.IsFinite).Select(Math.Abs).DefaultIfEmpty(0).Max();
            Agreement.Within(actual[i], Cast.Double(expected[i]), roundings * Agreement.Epsilon(type) * largest, $"output {i}");
        }
    }

    /// <summary>The same, bit for bit.</summary>
    protected void CompareExactly(Func<Side, Tensor[]> body, DType type = DType.Float32)
    {
        var (actual, expected) = (On(Cuda, type, body), On(cpu!, type, body));
        for (var i = 0; i < expected.Length; i++) Assert.That(Bits(actual[i]), Is.EqualTo(Bits(expected[i])), $"output {i}");
    }

    private static uint[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToUInt32Bits);

    private static float[][] On(Device device, DType type, Func<Side, Tensor[]> body)
    {
        using var scope = device.Inference();
        var side = new Side(device, type);
        return Array.ConvertAll(body(side), Side.Read);
    }
}
