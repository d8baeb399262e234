using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Training.Tests;

/// <summary>Base of the tests that train: a device, a folder of their own, and a guard that finds tensors left behind.</summary>
[LeakGuard]
public abstract class TrainingFixture : IDeviceFixture
{
    private DirectoryInfo? folder;

    public Device Device { get; } = new CpuDevice(2);

    [OneTimeTearDown]
    public void CloseDevice() => Device.Dispose();

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("cnn-training-");

    [TearDown]
    public void RemoveFolder() => folder!.Delete(recursive: true);

    /// <summary>A file in the test's own folder.</summary>
    protected string File(string name) => Path.Combine(folder!.FullName, name);

    /// <summary>Names of the files in the test's own folder.</summary>
    protected string[] Files() => [.. folder!.GetFiles().Select(file => file.Name).Order()];
}
