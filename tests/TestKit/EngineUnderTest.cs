namespace CnnNative.TestKit;

/// <summary>An engine that test bodies run on: its name, and how to get a device with it.</summary>
public sealed class EngineUnderTest
{
    private readonly Func<Device> open;

    private EngineUnderTest(string name, Func<Device> open)
    {
        Name = name;
        this.open = open;
    }

    /// <summary>
    /// Every engine of the project. A new engine joins here and nowhere else; one whose hardware is missing skips visibly
    /// when its device is opened. Three threads do not divide most sizes, and outnumber the elements of some.
    /// </summary>
    public static IReadOnlyList<EngineUnderTest> All { get; } =
    [
        new("Cpu1", () => new CpuDevice(1)),
        new("Cpu3", () => new CpuDevice(3)),
        new("Native", CudaUnderTest.Open),
    ];

    public string Name { get; }

    /// <summary>Opens a device of its own for a fixture.</summary>
    public Device Open() => open();

    public override string ToString() => Name;
}
