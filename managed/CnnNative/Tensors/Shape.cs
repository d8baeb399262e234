using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace CnnNative;

/// <summary>The sizes of a tensor's dimensions, outermost first. Immutable; a size may be 0, the rank may be 0 (a scalar).</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
[SuppressMessage("Design", "CA1043", Justification = "A dimension is indexed by int.")]
public readonly struct Shape : IEquatable<Shape>, IEnumerable<int>
{
    private readonly int[]? sizes;

    /// <summary>Creates a shape.</summary>
    /// <param name="sizes">Sizes, outermost first.</param>
    /// <exception cref="ShapeException">A size is negative, or the number of elements overflows.</exception>
    public Shape(params ReadOnlySpan<int> sizes)
    {
        long count = 1;
        foreach (var size in sizes)
        {
            if (size < 0) throw new ShapeException("Shape", $"size {size} is negative in ({string.Join(", ", sizes.ToArray())})");
            try
            {
                count = checked(count * size);
            }
            catch (OverflowException)
            {
                throw new ShapeException("Shape", $"the number of elements of ({string.Join(", ", sizes.ToArray())}) exceeds {long.MaxValue}");
            }
        }

        this.sizes = sizes.ToArray();
        Count = count;
    }

    /// <summary>The shape of a scalar: rank 0, one element.</summary>
    public static Shape Scalar { get; } = new([]);

    /// <summary>Number of dimensions.</summary>
    public int Rank => Sizes.Length;

    /// <summary>Number of elements: the product of the sizes; 1 for a scalar.</summary>
    public long Count { get => sizes is null ? 1 : field; }

    /// <summary>The sizes, outermost first.</summary>
    public ReadOnlySpan<int> Sizes => sizes;

    /// <summary>The size of one dimension.</summary>
    /// <param name="dimension">0 is outermost; a negative number counts from the end, -1 is innermost.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public int this[int dimension] => Sizes[Axis(dimension)];

    /// <summary>Whether two shapes have the same sizes.</summary>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether two shapes differ.</summary>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <summary>Creates a shape from a collection expression.</summary>
    /// <param name="sizes">Sizes, outermost first.</param>
    public static Shape Create(ReadOnlySpan<int> sizes) => new(sizes);

    /// <summary>The dimension as a number from 0.</summary>
    /// <param name="dimension">May count from the end (-1 is innermost).</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such dimension.</exception>
    public int Axis(int dimension)
    {
        var axis = dimension < 0 ? dimension + Rank : dimension;
        if (axis < 0 || axis >= Rank)
            throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"shape {this} has {Rank} dimensions");
        return axis;
    }

    /// <summary>The same shape with one size replaced.</summary>
    /// <param name="dimension">Which; may count from the end.</param>
    /// <param name="size">The new size.</param>
    public Shape With(int dimension, int size)
    {
        var copy = Sizes.ToArray();
        copy[Axis(dimension)] = size;
        return new Shape(copy);
    }

    /// <summary>Product of the sizes of the dimensions from <paramref name="first"/> on: the elements under one index of the dimensions before.</summary>
    /// <param name="first">First dimension, 0 to rank.</param>
    public long CountFrom(int first)
    {
        long count = 1;
        foreach (var size in Sizes[first..]) count *= size;
        return count;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => Sizes.SequenceEqual(other.Sizes);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var size in Sizes) hash.Add(size);
        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)(sizes ?? [])).GetEnumerator();

    System.Collections.IEnumerator System.Collections.IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The sizes in parentheses, such as (64, 1, 28, 28).</summary>
    public override string ToString() => $"({string.Join(", ", sizes ?? [])})";
}
