using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Interop.Tests;

/// <summary>Where libraries are looked for, and what is said of each place.</summary>
[TestFixture, NonParallelizable]
public sealed class LibraryFinderTests
{
    // No system has it, so that only what a test lays down can be found.
    private static readonly CudaLibrary Absent = new("test library", "cuInit", "CNN_TEST_LIBRARY", ["libcnn-absent.so.7"], ["cnn-absent_7.dll"]);
    private string folder = "";

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("cnn-finder").FullName;

    [TearDown]
    public void RemoveFolder()
    {
        foreach (var variable in (string[])["CNN_TEST_LIBRARY", "CUDA_PATH", "VIRTUAL_ENV", "CONDA_PREFIX"]) Environment.SetEnvironmentVariable(variable, null);
        Directory.Delete(folder, recursive: true);
    }

    [Test]
    public void A_file_named_outright_is_the_only_place()
    {
        var search = LibraryFinder.Find(Absent, Path.Combine(folder, "none.so"));
        Assert.That(search.Found, Is.False);
        Assert.That(search.Candidates.Select(candidate => candidate.ToString()), Is.EqualTo(new[] { $"{Path.Combine(folder, "none.so")} (given by the caller): no such file" }));
    }

    [Test]
    public void A_variable_is_the_only_place_too()
    {
        Environment.SetEnvironmentVariable("CNN_TEST_LIBRARY", Path.Combine(folder, "x.so"));
        var search = LibraryFinder.Find(Absent);
        Assert.That(search.Candidates.Single().Origin, Is.EqualTo("CNN_TEST_LIBRARY"));
    }

    [Test]
    public void A_file_that_is_no_library_is_refused_with_the_loaders_reason_and_the_search_goes_on()
    {
        var lib = Directory.CreateDirectory(Path.Combine(folder, "lib64")).FullName;
        var file = Path.Combine(lib, Absent.Files[0]);
        File.WriteAllText(file, "not a library");
        Environment.SetEnvironmentVariable("CUDA_PATH", folder);
        var search = LibraryFinder.Find(Absent);
        var refused = search.Candidates.Single(candidate => candidate.Path == file);
        Assert.That(refused.Origin, Is.EqualTo("CUDA_PATH"));
        Assert.That(refused.Refusal, Is.Not.Null.And.Not.EqualTo("no such file"));
        Assert.That(search.Candidates[^1], Is.Not.EqualTo(refused));
    }

    [Test]
    public void A_library_in_a_python_package_is_found_through_its_link()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("the wheel's folders are laid out for Linux here");
        var link = LinkToTheDriver("lib", "python3.11", "site-packages", "nvidia", "thing", "lib");
        Environment.SetEnvironmentVariable("VIRTUAL_ENV", folder);
        var search = LibraryFinder.Find(Absent);
        Assert.That(search.Found, Is.True);
        Assert.That(search.Path, Is.EqualTo(link));
    }

    [Test]
    public void A_library_of_condas_own_packages_is_found()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("the environment's folders are laid out for Linux here");
        var link = LinkToTheDriver("lib");
        Environment.SetEnvironmentVariable("CONDA_PREFIX", folder);
        var search = LibraryFinder.Find(Absent);
        Assert.That((search.Path, search.Candidates[^1].Origin), Is.EqualTo((link, "CONDA_PREFIX")));
    }

    [Test]
    public void On_windows_wheels_and_conda_lay_libraries_elsewhere()
    {
        var wheel = Directory.CreateDirectory(Path.Combine(folder, "Lib", "site-packages", "nvidia", "cudnn", "bin")).FullName;
        Assert.That(LibraryPlaces.WheelFolders(folder, isWindows: true), Is.EqualTo(new[] { wheel }));
        Assert.That(LibraryPlaces.WheelFolders(folder, isWindows: false), Is.Empty);
        Assert.That(LibraryPlaces.CondaFolder(folder, isWindows: true), Is.EqualTo(Path.Combine(folder, "Library", "bin")));
    }

    [Test]
    public void A_library_of_another_kind_is_refused()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("the mathematical library is named as on Linux");
        var search = LibraryFinder.Find(CudaLibrary.Cudnn, "libm.so.6");
        Assert.That(search.Found, Is.False);
        Assert.That(search.Candidates.Single().Refusal, Is.EqualTo("it is not cuDNN: it has no cudnnGetVersion"));
    }

    [Test]
    public void Not_found_lists_every_place()
    {
        var search = LibraryFinder.Find(Absent);
        var message = new LibraryNotFoundException(search).Message;
        Assert.That(message, Does.StartWith("test library was not found"));
        Assert.That(search.Candidates, Is.Not.Empty);
        foreach (var candidate in search.Candidates) Assert.That(message, Does.Contain(candidate.Path));
    }

    /// <summary>Lays a link to the driver under test, by the name of the library looked for, into a folder below the test's own.</summary>
    private string LinkToTheDriver(params string[] below)
    {
        CudaUnderTest.Prepare();
        var link = Path.Combine(Directory.CreateDirectory(Path.Combine([folder, .. below])).FullName, Absent.Files[0]);
        File.CreateSymbolicLink(link, Path.GetFullPath(CudaDriver.Search.Path!));
        return link;
    }
}
