using CnnNative.TestKit;
using NUnit.Framework;

namespace CnnNative.Tests.Autograd;

/// <summary>What is recorded, how gradients add up, and what may be asked for twice.</summary>
[EngineFixtures]
public sealed class TapeTests(EngineUnderTest engine) : EngineTests(engine)
{
    [Test]
    public void GradientsAddUpOverCallsUntilZeroGrad()
    {
        using var scope = Device.Step();
        var x = Leaf(2, 3);
        Functional.Sum(Functional.Scale(x, 5)).Backward();
        Functional.Sum(Functional.Scale(x, 7)).Backward();
        Assert.That(x.Grad!.ToArray<float>(), Is.EqualTo(new[] { 12f, 12f }));
        x.ZeroGrad();
        Assert.That(x.Grad, Is.Null);
        Functional.Sum(x).Backward();
        Assert.That(x.Grad!.ToArray<float>(), Is.EqualTo(new[] { 1f, 1f }));
    }

    [Test]
    public void ATensorUsedTwiceGetsBothGradients()
    {
        using var scope = Device.Step();
        var x = Leaf(2, 3);
        var square = Functional.Multiply(x, x);
        var y = Functional.Add(Functional.Multiply(square, x), square);
        Functional.Sum(y).Backward();
        Assert.That(x.Grad!.ToArray<float>(), Is.EqualTo(new[] { 3 * 4 + 2 * 2f, 3 * 9 + 2 * 3f }), "3 x^2 + 2 x");
    }

    [Test]
    public void ADiamondIsGoneThroughOnceInTheRightOrder()
    {
        using var scope = Device.Step();
        var x = Leaf(1);
        var y = x;
        // 2^30 paths, 30 nodes.
        for (var i = 0; i < 30; i++) y = Functional.Add(y, y);
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(1 << 30));
    }

    [Test]
    public void AChainOfManyOperationsDoesNotOverflowTheStack()
    {
        using var scope = Device.Step();
        var x = Leaf(1);
        var y = x;
        for (var i = 0; i < 20_000; i++) y = Functional.Scale(y, 1);
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(1));
    }

    [Test]
    public void ASecondBackwardThroughTheSameRecordIsRefused()
    {
        using var scope = Device.Step();
        var y = Functional.Scale(Leaf(1), 2);
        y.Backward();
        Assert.That(y.Backward, Throws.InvalidOperationException.With.Message.Contains("Scale").And.Message.Contains("keepRecord"));
    }

    [Test]
    public void KeepRecordAllowsASecondBackward()
    {
        using var scope = Device.Step();
        var x = Leaf(3);
        var y = Functional.Multiply(x, x);
        using var one = Tensor.Ones(y.Shape, Device);
        y.Backward(one, keepRecord: true);
        y.Backward(one);
        Assert.That(x.Grad!.Item(), Is.EqualTo(12));
        Assert.That(() => y.Backward(one), Throws.InvalidOperationException);
    }

    [Test]
    public void DetachStopsTheGradient()
    {
        using var scope = Device.Step();
        var x = Leaf(3);
        var y = Functional.Multiply(x, x.Detach());
        y.Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(3), "not 6: one factor is a constant");
        Assert.That(y.Detach().RequiresGrad, Is.False);
    }

    [Test]
    public void NothingIsRecordedWithoutGradients()
    {
        using var scope = Device.Step();
        var x = Leaf(3);
        using (Scope.NoGradients())
        {
            // Such a scope owns nothing.
            using var y = Functional.Scale(x, 2);
            Assert.That(y.RequiresGrad, Is.False);
        }

        using (Device.Inference())
        {
            Assert.That(Functional.Scale(x, 2).RequiresGrad, Is.False);
            using (Device.Step()) Assert.That(Functional.Scale(x, 2).RequiresGrad, Is.False, "a scope inside cannot record again");
            Assert.That(Scope.RecordsGradients, Is.False);
        }

        Assert.That(Scope.RecordsGradients, Is.True);
        Assert.That(Functional.Scale(x, 2).RequiresGrad, Is.True);
    }

    [Test]
    public void BackwardOfNothingThatRequiresAGradientIsRefused()
    {
        using var scope = Device.Step();
        var y = Functional.Scale(Tensor.Ones([1], Device), 2);
        Assert.That(y.Backward, Throws.InvalidOperationException.With.Message.Contains("requires a gradient"));
    }

    [Test]
    public void BackwardOfManyElementsNeedsAGradientOfTheirShape()
    {
        using var scope = Device.Step();
        var y = Functional.Scale(Leaf(1, 2), 2);
        Assert.That(y.Backward, Throws.InstanceOf<ShapeException>().With.Message.Contains("(2)"));
        Assert.That(() => y.Backward(Tensor.Ones([3], Device)), Throws.InstanceOf<ShapeException>().With.Message.Contains("(3)"));
    }

    [Test]
    public void OnlyLeavesOfFloatingPointChangeRequiresGrad()
    {
        using var scope = Device.Step();
        var y = Functional.Scale(Leaf(1), 2);
        Assert.That(() => y.RequiresGrad = false, Throws.InvalidOperationException);
        var labels = Tensor.From([1L], [1], Device);
        Assert.That(() => labels.RequiresGrad = true, Throws.InvalidOperationException.With.Message.Contains("Int64"));
    }

    [Test]
    public void OnlyInputsThatNeedAGradientGetOne()
    {
        using var scope = Device.Step();
        var (x, constant) = (Leaf(2), Tensor.From([5f], [1], Device));
        Functional.Multiply(x, constant).Backward();
        Assert.That(x.Grad!.Item(), Is.EqualTo(5));
        Assert.That(constant.Grad, Is.Null);
    }

    [Test]
    public void GradientsOfTwoLeavesDoNotShareMemory()
    {
        using var scope = Device.Step();
        var (a, b) = (Leaf(1, 2), Leaf(3, 4));
        using var given = Tensor.Ones([2], Device);
        Functional.Add(a, b).Backward(given);
        a.Grad!.CopyFrom<float>([8, 8]);
        Assert.That(b.Grad!.ToArray<float>(), Is.EqualTo(new[] { 1f, 1f }), "after a's gradient was clipped in place");
        given.CopyFrom<float>([9, 9]);
        Assert.That(b.Grad!.ToArray<float>(), Is.EqualTo(new[] { 1f, 1f }), "after the given gradient was used again");
    }

    [Test]
    public void AnAliasOfAGradientKeepsItsNumbersWhenMoreAreAdded()
    {
        using var scope = Device.Step();
        var x = Leaf(1, 2);
        Functional.Sum(x).Backward();
        var seen = x.Grad!.Detach();
        Functional.Sum(x).Backward();
        Assert.That(seen.ToArray<float>(), Is.EqualTo(new[] { 1f, 1f }));
        Assert.That(x.Grad!.ToArray<float>(), Is.EqualTo(new[] { 2f, 2f }));
    }

    [Test]
    public void TheGradientGoesWithTheScopeOfItsBackward()
    {
        using var outer = Device.Step();
        var x = Leaf(1);
        using (Device.Step())
        {
            Functional.Scale(x, 2).Backward();
            Assert.That(x.Grad!.Item(), Is.EqualTo(2));
        }

        Assert.That(x.Grad, Is.Null);
        using (Device.Step())
        {
            Functional.Scale(x, 3).Backward();
            Assert.That(x.Grad!.Item(), Is.EqualTo(3), "nothing of the first step is left");
        }
    }

    [Test]
    public void AnInputDisposedBeforeBackwardIsNamed()
    {
        using var scope = Device.Step();
        var x = Leaf(2);
        var factor = Functional.Scale(x, 2);
        var y = Functional.Multiply(x, factor);
        factor.Dispose();
        Assert.That(y.Backward, Throws.InstanceOf<ObjectDisposedException>().With.Message.Contains("disposed"));
    }

    [Test]
    public void AFailedBackwardLeaksNothing()
    {
        using (Device.Step())
        {
            var x = Leaf(2);
            var factor = Functional.Scale(x, 2);
            var y = Functional.Add(Functional.Multiply(x, factor), x);
            factor.Dispose();
            Assert.That(y.Backward, Throws.InstanceOf<ObjectDisposedException>());
        }

        Assert.That(Device.Memory.Statistics.LiveBlocks, Is.Zero);
    }

    private Tensor Leaf(params float[] values)
    {
        var leaf = Tensor.From(values, [values.Length], Device);
        leaf.RequiresGrad = true;
        return leaf;
    }
}
