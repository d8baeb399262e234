using NUnit.Framework;

namespace CnnNative.TestKit;

/// <summary>
/// Base of test bodies that run on every engine. A body derives from it with <c>[EngineFixtures]</c> and a constructor
/// that takes the engine; NUnit makes one fixture per engine of it.
/// </summary>
[LeakGuard]
public abstract class EngineTests(EngineUnderTest engine) : IDeviceFixture
{
    private Device? device;

    /// <summary>The device of this fixture.</summary>
    public Device Device => device ?? throw new InvalidOperationException("the fixture is not set up");

    [OneTimeSetUp]
    public void OpenDevice() => device = engine.Open();

    [OneTimeTearDown]
    public void CloseDevice() => device?.Dispose();
}

/// <summary>One fixture per engine.</summary>
public sealed class EngineFixturesAttribute() : TestFixtureSourceAttribute(typeof(EngineUnderTest), nameof(EngineUnderTest.All));
