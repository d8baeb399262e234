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
    private LeakWatch? watch;

    public ActionTargets Targets => ActionTargets.Test;

    public void BeforeTest(ITest test) => watch = new LeakWatch(MemoryOf(test));

    public void AfterTest(ITest test)
    {
        if (watch?.Report() is { } report) Assert.Fail($"{test.Name} {report}");
    }

    private static MemoryPool MemoryOf(ITest test) =>
        (test.Fixture as IDeviceFixture)?.Device.Memory ?? throw new InvalidOperationException($"{test.FullName}: a leak guard needs an {nameof(IDeviceFixture)}");
}
