using CnnNative.Engines.Native;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>Sizes that kernels index with 32 bits leave room for the threads past the end.</summary>
public sealed class Index32Tests
{
    [Test]
    public void Threads_past_the_end_of_the_largest_size_do_not_wrap_around()
    {
        Assert.That(Index32.Of("test", Index32.Most), Is.EqualTo(Index32.Most));
        Assert.That(() => Index32.Of("test", Index32.Most + 1L), Throws.TypeOf<EngineNotSupportedException>().With.Message.Contains("test"));
        Assert.That(Index32.Most + 4L * MapLaunch.Threads * MapLaunch.Width(DType.Float32), Is.LessThanOrEqualTo(int.MaxValue), "a block more than is needed, of vectors");
    }
}
