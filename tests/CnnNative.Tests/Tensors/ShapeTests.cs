using NUnit.Framework;

namespace CnnNative.Tests.Tensors;

public sealed class ShapeTests
{
    [Test]
    public void CountsAndCompares()
    {
        Shape shape = [2, 3, 5];
        Assert.That(shape.Count, Is.EqualTo(30));
        Assert.That(shape.Rank, Is.EqualTo(3));
        Assert.That(shape, Is.EqualTo(new Shape(2, 3, 5)));
        Assert.That(shape.GetHashCode(), Is.EqualTo(new Shape(2, 3, 5).GetHashCode()));
        Assert.That(shape != [2, 3], Is.True);
        Assert.That(shape == [2, 5, 3], Is.False);
        Assert.That(shape.ToString(), Is.EqualTo("(2, 3, 5)"));
    }

    [Test]
    public void AScalarHasOneElementAndAnEmptyShapeNone()
    {
        Assert.That(Shape.Scalar.Count, Is.EqualTo(1));
        Assert.That(default(Shape), Is.EqualTo(Shape.Scalar));
        Assert.That(default(Shape).Count, Is.EqualTo(1));
        Assert.That(new Shape(4, 0).Count, Is.Zero);
    }

    [Test]
    public void DimensionsCountFromBothEnds()
    {
        Shape shape = [2, 3, 5];
        Assert.That((shape[0], shape[-1], shape.Axis(-3), shape.CountFrom(1), shape.CountFrom(3)), Is.EqualTo((2, 5, 0, 15L, 1L)));
        Assert.That(shape.With(-2, 7), Is.EqualTo(new Shape(2, 7, 5)));
        Assert.That(() => shape[3], Throws.InstanceOf<ArgumentOutOfRangeException>().With.Message.Contains("(2, 3, 5)"));
        Assert.That(() => shape[-4], Throws.InstanceOf<ArgumentOutOfRangeException>());
    }
}
