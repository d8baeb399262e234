using System.Runtime.CompilerServices;
using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.TestKit;

/// <summary>The watch behind the leak guard sees a tensor that is left, and says where it was made.</summary>
public sealed class LeakWatchTests
{
    private readonly CpuDevice device = new(1);

    [OneTimeTearDown]
    public void CloseDevice() => device.Dispose();

    [Test]
    public void ATensorLeftBehindIsReported()
    {
        var watch = new LeakWatch(device.Memory);
        var left = Tensor.Ones([3], device);
        var report = watch.Report();
        left.Dispose();
        Assert.That(report, Does.Contain("left 1 tensors").And.Contain(nameof(ATensorLeftBehindIsReported)));
    }

    [Test]
    public void ATensorThatTheCollectorFoundIsReported()
    {
        var watch = new LeakWatch(device.Memory);
        Forget();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.That(watch.Report(), Does.Contain("1 that the garbage collector found"));
    }

    [Test]
    public void WhatAScopeReturnedIsNoLeak()
    {
        var watch = new LeakWatch(device.Memory);
        using (device.Step()) Functional.Scale(Tensor.Ones([3], device), 2);
        Assert.That(watch.Report(), Is.Null);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Forget() => _ = Tensor.Ones([3], device);
}
