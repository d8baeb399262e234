using CnnNative.Engines;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>
/// What kernels move, from the counters of the emulated driver: the bytes against the least that the operation needs, in sectors of
/// 32, which counts what is fetched and not used; how wide the accesses are; conflicts over banks of shared memory.
/// </summary>
public sealed class TrafficTests : CounterTests
{
    [Test]
    public void ElementwiseMovesEachByteOnceInVectors([ValueSource(nameof(Types))] DType type)
    {
        const int count = 1 << 16;
        var counters = Run("add" + Suffix(type), side =>
        {
            Tensor a = side.Of(Random(count, 1), [count]), b = side.Of(Random(count, 2), [count]);
            return () => side.Device.Engine.Elementwise.Add(a, b, a);
        }, type);
        AssertTraffic(counters, read: 2L * count * type.Size(), written: (long)count * type.Size(), excess: 1.0);
        Assert.That(counters.WidestGlobalAccess, Is.EqualTo(16));
    }

    /// <summary>A block reads its own labels, not all: with few classes they would be most of what it moves.</summary>
    [Test]
    public void TheGradientOfCrossEntropyReadsALabelOnce([ValueSource(nameof(Types))] DType type)
    {
        Shape shape = [2048, 10];
        using var scope = Device.Inference();
        var side = new Side(Device, type);
        Tensor p = side.Of(Random(shape.Count, 1, 0f, 1f), shape), dx = side.Empty(shape), divisor = side.Float([2048]), dloss = side.Of([1f], Shape.Scalar);
        var labels = side.Labels(new long[2048], [2048]);
        Cuda.Synchronize();
        EmulatedCounters.Reset(ofBlocks: true);
        Device.Engine.Loss.CrossEntropyBackward(p, labels, null, new(Reduction.Mean, 0f, -100), divisor, dloss, dx);
        Cuda.Synchronize();
        // Each block of 256 lines also fetches a sector for the divisor and one for the gradient of the loss.
        var common = 2048 / 256 * 2 * Sector;
        AssertNearFloor("cross_entropy_short_rows_backward" + Suffix(type), 2 * shape.Count * type.Size() + 2048 * sizeof(long) + common);
    }

    [TestCase(64, 56, 4, "transpose_b32")]
    [TestCase(64, 56, 2, "transpose_b16")]
    [TestCase(64, 64, 1, "transpose_b8")]
    [TestCase(3, 64, 4, "transpose_narrow_b32")]
    [TestCase(4, 64, 2, "transpose_narrow_b16")]
    public void LayoutsChangeWithoutConflicts(int channels, int side, int bytes, string kernel)
    {
        Shape shape = [2, channels, side, side];
        var type = bytes switch { 1 => DType.UInt8, 2 => DType.BFloat16, _ => DType.Float32 };
        var counters = Run(kernel, _ =>
        {
            Tensor x = Tensor.Empty(shape, type, Device), y = Tensor.Empty(shape, type, Device, Layout.Nhwc);
            Cuda.Synchronize();
            FillWithBytes(x);
            return () => Device.Engine.Layout.Copy(x, y);
        });
        AssertTraffic(counters, shape.Count * bytes, shape.Count * bytes, excess: 1.05);
        Assert.That(counters.MaxSharedConflict, Is.LessThanOrEqualTo(2), "ways of the worst conflict");
        Assert.That(
            counters.SharedLoadWavefronts + counters.SharedStoreWavefronts, Is.LessThanOrEqualTo(1.1 * counters.SharedIdealWavefronts), "wavefronts beyond the ideal");
    }

    [Test]
    public void SgdMovesFiveFloatsPerElement()
    {
        const int count = 1 << 16;
        var counters = Run("sgd_f32", side =>
        {
            Tensor w = side.Of(Random(count, 1), [count]), g = side.Of(Random(count, 2), [count]), v = side.Of(Random(count, 3), [count]);
            return () => side.Device.Engine.Optimizer.Sgd([new(w, g, v)], new(0.1f, 0.9f, 0f, 0f, false, false));
        });
        AssertTraffic(counters, 3L * count * 4, 2L * count * 4, excess: 1.0);
    }

    [Test]
    public void DropoutReadsNoMask()
    {
        const int count = 1 << 16;
        var counters = Run("dropout_f32", side =>
        {
            var x = side.Of(Random(count, 1), [count]);
            return () => side.Device.Engine.Dropout.Apply(x, 0.5f, 1, new(1, 2), x);
        });
        AssertTraffic(counters, count * 4L, count * 4L, excess: 1.0);
    }

    private void FillWithBytes(Tensor tensor)
    {
        using var view = tensor.OnDevice();
        ((CnnNative.Engines.Native.NativeEngine)Device.Engine).Context.Stream.Fill(view, 3, tensor.Bytes);
    }
}
