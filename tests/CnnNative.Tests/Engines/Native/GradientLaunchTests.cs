using CnnNative.Engines.Native;
using CnnNative.Interop;
using NUnit.Framework;

namespace CnnNative.Tests.Engines.Native;

/// <summary>How many gradients become few launches: every block has its piece of one tensor, none has another's, and no launch takes too many.</summary>
public sealed class GradientLaunchTests : NativeTests
{
    private const int Most = GradientTensors.Slots.Capacity;

    [Test]
    public void NothingIsNotLaunched()
    {
        using var scope = Device.Inference();
        Assert.That(Groups(), Is.Empty);
        Assert.That(Groups(Gradient(0)), Is.Empty, "an empty tensor");
        Assert.That((GradientLaunches.CountBlocks([]), GradientLaunches.CountBlocks([Gradient(0)])), Is.EqualTo((0, 0)));
    }

    [TestCase(1, 1)]
    [TestCase(4096, 1)]
    [TestCase(4097, 2)]
    [TestCase(3 * 4096, 3)]
    public void ATensorIsOneLaunchOfItsPieces(int count, int blocks)
    {
        using var scope = Device.Inference();
        var group = Groups(Gradient(count)).Single();
        Assert.That((group.Type, group.Before, group.Launch), Is.EqualTo((DType.Float32, 0, new LaunchConfiguration(blocks, 256))));
        Assert.That(group.Tensors, Is.EqualTo(new[] { ((long)count, 0) }));
    }

    /// <summary>The first block of a tensor comes behind the last one of the tensor before; empty ones have none.</summary>
    [Test]
    public void TensorsStandBehindEachOther()
    {
        using var scope = Device.Inference();
        var group = Groups(Gradient(5000), Gradient(0), Gradient(1), Gradient(4096)).Single();
        Assert.That(group.Tensors, Is.EqualTo(new[] { (5000L, 0), (1L, 2), (4096L, 3) }));
        Assert.That(group.Launch.Grid.X, Is.EqualTo(4));
    }

    [TestCase(Most, 1)]
    [TestCase(Most + 1, 2)]
    [TestCase(2 * Most + 1, 3)]
    public void MoreTensorsThanArgumentsHoldAreMoreLaunches(int count, int launches)
    {
        using var scope = Device.Inference();
        var gradients = Enumerable.Range(0, count).Select(i => Gradient(i % 2 == 0 ? 1 : 4097)).ToArray();
        var groups = Groups(gradients);
        Assert.That(groups, Has.Count.EqualTo(launches));
        Assert.That(groups.Select(group => group.Tensors.Length), Is.All.LessThanOrEqualTo(Most));
        Assert.That(groups.SelectMany(group => group.Tensors).Select(tensor => tensor.Count), Is.EqualTo(gradients.Select(gradient => gradient.Count)));
        AssertBlocksAreNumbered(groups, gradients);
    }

    /// <summary>Gradients of three types in any order: a launch has one type, and all partial results one after the other.</summary>
    [Test]
    public void EachTypeHasItsOwnLaunches()
    {
        using var scope = Device.Inference();
        var gradients = Enumerable.Range(0, 3 * Most + 6).Select(i => Gradient(100 + 4000 * (i % 4), Types[i % 3])).ToArray();
        var groups = Groups(gradients);
        Assert.That(groups.Select(group => group.Type), Is.EqualTo(Kernels.Types.ToArray().SelectMany(type => new[] { type, type })), "each has two more than fit one launch");
        AssertBlocksAreNumbered(groups, gradients);
    }

    [Test]
    public void GradientsAreNumbers()
    {
        using var scope = Device.Inference();
        var labels = Tensor.Empty([3], DType.Int64, Device);
        Assert.That(() => Groups(Gradient(1), labels), Throws.InstanceOf<DTypeException>().With.Message.Contains("Int64"));
    }

    private static void AssertBlocksAreNumbered(List<Group> groups, Tensor[] gradients)
    {
        var blocks = 0;
        foreach (var group in groups)
        {
            Assert.That(group.Before, Is.EqualTo(blocks), "blocks of the launches before");
            var within = 0;
            foreach (var (count, first) in group.Tensors)
            {
                Assert.That(first, Is.EqualTo(within), "first block");
                within += (int)ParameterPieces.Blocks(count);
            }

            Assert.That(group.Launch, Is.EqualTo(new LaunchConfiguration(within, 256)));
            blocks += within;
        }

        Assert.That(GradientLaunches.CountBlocks(gradients), Is.EqualTo(blocks));
    }

    private Tensor Gradient(int count, DType type = DType.Float32) => Tensor.Empty([count], type, Device);

    private static List<Group> Groups(params Tensor[] gradients)
    {
        var groups = new List<Group>();
        var launches = new GradientLaunches(gradients);
        while (launches.Next())
        {
            var tensors = new (long, int)[launches.Tensors.Count];
            for (var i = 0; i < tensors.Length; i++) tensors[i] = (launches.Tensors.At[i].Count, launches.Tensors.At[i].FirstBlock);
            groups.Add(new(launches.Type, launches.BlocksBefore, launches.Launch, tensors));
        }

        return groups;
    }

    /// <summary>One launch.</summary>
    private sealed record Group(DType Type, int Before, LaunchConfiguration Launch, (long Count, int FirstBlock)[] Tensors);
}
