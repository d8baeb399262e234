using NUnit.Framework;
using NUnit.Framework.Interfaces;

namespace CnnNative.TestKit;

/// <summary>A fixture with a device, so that <see cref="LeakGuardAttribute"/> can watch it.</summary>
public interface IDeviceFixture
{
    Device Device { get; }
}

/// <summary>
/// Fails a test that leaves tensors of its fixture's device undisposed, naming the places that made them. A tensor that
/// only the garbage collector found counts too. Goes on a fixture that is an <see cref="IDeviceFixture"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class LeakGuardAttribute : Attribute, ITestAction
{
    private MemoryStatistics before;

    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test)
    {
        var memory = MemoryOf(test);
        memory.TrackCreation = true;
        before = memory.Statistics;
    }

    public void AfterTest(ITest test)
    {
        var memory = MemoryOf(test);
        var after = memory.Statistics;
        var alive = after.LiveBlocks - before.LiveBlocks;
        var forgotten = after.FinalizedBlocks - before.FinalizedBlocks;
        if (alive == 0 && forgotten == 0) return;

        var report = memory.LeakReport();
        // The next test begins clean.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Assert.Fail($"{test.Name} left {alive} tensors undisposed, and {forgotten} that the garbage collector found:\n{report}");
    }

    private static MemoryPool MemoryOf(ITest test) =>
        (test.Fixture as IDeviceFixture)?.Device.Memory ?? throw new InvalidOperationException($"{test.Fixture?.GetType().Name}: a leak guard needs an {nameof(IDeviceFixture)}");
}
