namespace CnnNative.Engines;

/// <summary>
/// The windows of an adaptive pooling along one axis, one after the other: window i is floor(i size / count) up to, not including,
/// ceil((i + 1) size / count). The quotient and its remainder are carried on, so that no product can overflow and nothing is divided.
/// </summary>
/// <param name="size">Elements of the input.</param>
/// <param name="count">Windows, which is elements of the output.</param>
internal struct AdaptiveWindows(int size, int count)
{
    private readonly int step = size / count, rest = size % count;
    private int next;
    private long remainder;

    /// <summary>First element of the window.</summary>
    public int First { get; private set; }

    /// <summary>The element after its last.</summary>
    public int End { get; private set; }

    /// <summary>Elements of the window.</summary>
    public readonly int Length => End - First;

    /// <summary>Goes to the first window, or to the next; at most <c>count</c> times.</summary>
    public void MoveNext()
    {
        First = next;
        next += step;
        remainder += rest;
        if (remainder >= count)
        {
            remainder -= count;
            next++;
        }

        End = remainder > 0 ? next + 1 : next;
    }
}
