using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Devices;

/// <summary>Who owns a tensor, and when its memory goes back.</summary>
[EngineFixtures]
public sealed class ScopeTests(EngineUnderTest engine) : EngineTests(engine)
{
    private long Live => Device.Memory.Statistics.LiveBlocks;

    [Test]
    public void AScopeWithoutGradientsLeavesItsTensorsToTheScopeAround()
    {
        Tensor made;
        using (Device.Step())
        {
            using (Scope.NoGradients()) made = Tensor.Zeros([3], Device);
            Assert.That(made.IsDisposed, Is.False);
        }

        Assert.That(made.IsDisposed);
    }

    [Test]
    public void AScopeDisposesWhatWasMadeInIt()
    {
        Tensor tensor;
        using (Device.Step())
        {
            tensor = Tensor.Ones([3], Device);
            Assert.That(tensor.IsDisposed, Is.False);
            Assert.That(Live, Is.EqualTo(1));
        }

        Assert.That(tensor.IsDisposed);
        Assert.That(Live, Is.Zero);
        Assert.That(tensor.ToArray<float>, Throws.InstanceOf<ObjectDisposedException>().With.Message.Contains("(3)").And.Message.Contains("Keep"));
        Assert.That(tensor.ToString(), Does.Contain("disposed"));
    }

    [Test]
    public void TheInnermostScopeOwns()
    {
        using var outer = Device.Step();
        var first = Tensor.Ones([3], Device);
        Tensor second;
        using (Device.Step()) second = Functional.Scale(first, 2);
        Assert.That(first.IsDisposed, Is.False);
        Assert.That(second.IsDisposed);
    }

    [Test]
    public void KeepGivesATensorToTheScopeAroundOrToNobody()
    {
        Tensor kept;
        using (Device.Step())
        {
            using (Device.Step()) kept = Tensor.Ones([3], Device).Keep();
            Assert.That(kept.IsDisposed, Is.False);
        }

        Assert.That(kept.IsDisposed, "the outer scope has it now");
        using (Device.Step())
        {
            using (Device.Step()) kept = Tensor.Ones([3], Device).Keep().Keep();
        }

        Assert.That(kept.IsDisposed, Is.False, "nobody has it");
        Assert.That(kept.ToArray<float>(), Is.All.EqualTo(1f));
        kept.Dispose();
        Assert.That(Live, Is.Zero);
    }

    [Test]
    public void AnUnownedScopeHidesTheOnesAround()
    {
        Tensor tensor;
        using (Device.Step())
        {
            using (Scope.Unowned()) tensor = Tensor.Ones([3], Device);
        }

        Assert.That(tensor.IsDisposed, Is.False);
        tensor.Dispose();
    }

    [Test]
    public void ATensorOfAnotherDeviceBelongsToThatDevicesScope()
    {
        using var other = new CpuDevice(1);
        Tensor here, there;
        using (Device.Step())
        {
            using (other.Step())
            {
                here = Tensor.Ones([3], Device);
                there = Tensor.Ones([3], other);
            }

            Assert.That(here.IsDisposed, Is.False);
            Assert.That(there.IsDisposed);
        }

        Assert.That(here.IsDisposed);
    }

    [Test]
    public void DisposingTwiceAndDisposingByHandInsideAScopeAreAllowed()
    {
        var scope = Device.Step();
        var tensor = Tensor.Ones([3], Device);
        tensor.Dispose();
        tensor.Dispose();
        scope.Dispose();
        scope.Dispose();
        Assert.That(Live, Is.Zero);
    }

    [Test]
    public void MemoryLivesAsLongAsAViewOfIt()
    {
        using var scope = Device.Step();
        var tensor = Tensor.From([1f, 2, 3, 4], [4], Device);
        var view = tensor.Reshape(2, 2);
        tensor.Dispose();
        Assert.That(view.ToArray<float>(), Is.EqualTo(new[] { 1f, 2, 3, 4 }));
        Assert.That(Live, Is.EqualTo(1));
        view.Dispose();
        Assert.That(Live, Is.Zero);
    }

    [Test]
    public async Task AScopeFollowsAsynchronousCalls()
    {
        Tensor before, inside;
        using (Device.Step())
        {
            before = Tensor.Ones([3], Device);
            await Task.Yield();
            inside = await Task.Run(() => Functional.Scale(before, 2));
            Assert.That(inside.IsDisposed, Is.False);
        }

        Assert.That(before.IsDisposed);
        Assert.That(inside.IsDisposed);
        Assert.That(Live, Is.Zero);
    }

    [Test]
    public async Task ParallelFlowsHaveTheirOwnScopes()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(async () =>
        {
            for (var step = 0; step < 20; step++)
            {
                using var scope = Device.Step();
                var tensor = Tensor.Full([100], i, Device);
                await Task.Yield();
                Assert.That(Functional.Sum(tensor).Item(), Is.EqualTo(100 * i));
            }
        })));
        Assert.That(Live, Is.Zero);
    }

    [Test]
    public void AFlowThatOutlivesItsScopeOwnsNothing()
    {
        using var go = new ManualResetEventSlim();
        Task<Tensor> late;
        using (Device.Step())
        {
            late = Task.Run(() =>
            {
                go.Wait();
                return Tensor.Ones([3], Device);
            });
        }

        go.Set();
        Assert.That(late.Result.IsDisposed, Is.False);
        late.Result.Dispose();
    }
}
