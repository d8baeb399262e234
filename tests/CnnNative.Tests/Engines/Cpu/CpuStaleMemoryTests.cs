using NUnit.Framework;

namespace CnnNative.Tests.Engines.Cpu;

/// <summary>Working memory is used again: what an earlier operation left there must not reach a later result.</summary>
public sealed class CpuStaleMemoryTests
{
    [Test]
    public void WhatAnEarlierImageLeftDoesNotReachAWeightGradient([Values(1, 2)] int threads)
    {
        using var device = new CpuDevice(threads);
        // 576 images fill the working memory with NaN; 443 leave the end of each batch as it was.
        Assert.That(WeightGradient(device, 576, float.NaN), Has.All.NaN);
        Assert.That(WeightGradient(device, 443, 0.5f), Has.All.EqualTo(443 * 2 * 2 * 0.5f));
    }

    private static float[] WeightGradient(CpuDevice device, int images, float pixel)
    {
        using var scope = device.Step();
        var x = Tensor.Full([images, 1, 3, 3], pixel, device);
        var weight = Tensor.Zeros([2, 1, 2, 2], device);
        weight.RequiresGrad = true;
        Functional.Sum(Functional.Conv2d(x, weight)).Backward();
        return weight.Grad!.ToArray<float>();
    }
}
