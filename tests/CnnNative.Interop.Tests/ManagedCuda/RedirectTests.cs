using System.Runtime.InteropServices;
using CnnNative.TestKit;
using NUnit.Framework;
using RawDriver = CnnNative.Interop.Raw.Driver;

namespace CnnNative.Interop.Tests;

/// <summary>ManagedCuda and this library must not end at two drivers.</summary>
[TestFixture]
public sealed class RedirectTests
{
    [Test]
    public void The_library_that_both_use_is_kept()
    {
        CudaUnderTest.Prepare();
        Assert.That(RawDriver.RefuseUnlessShared(CudaDriver.Search), Is.SameAs(CudaDriver.Search));
    }

    [Test]
    public void A_library_that_ManagedCuda_does_not_end_at_is_refused_with_the_reason()
    {
        CudaUnderTest.Prepare();
        Assert.That(CudaDriver.Search.Found, Is.True);
        var other = new LibrarySearch(CudaLibrary.Driver, [new("/a/libcuda.so.1", "a test", null)], NativeLibrary.GetMainProgramHandle());
        var refused = RawDriver.RefuseUnlessShared(other);
        Assert.That(refused.Found, Is.False);
        Assert.That(new LibraryNotFoundException(refused).Message, Does.Contain("/a/libcuda.so.1").And.Contain("ManagedCuda"));
    }
}
