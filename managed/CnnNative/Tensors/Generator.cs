namespace CnnNative;

/// <summary>
/// A stream of random numbers from Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011):
/// each use takes the next stream number, and the number of an element within it is its counter, so that every engine
/// draws the same bits for one seed, in any order and on any number of threads.
/// </summary>
public sealed class Generator
{
    private ulong next;

    /// <summary>Creates a generator.</summary>
    /// <param name="seed">The key of the counter-based generator.</param>
    public Generator(ulong seed) => Seed = seed;

    /// <summary>The key. Setting it starts again at stream 0.</summary>
    public ulong Seed
    {
        get;
        set
        {
            field = value;
            next = 0;
        }
    }

    /// <summary>The number of streams used so far; saved and restored by checkpoints.</summary>
    public ulong Position
    {
        get => Interlocked.Read(ref next);
        set => Interlocked.Exchange(ref next, value);
    }

    /// <summary>Takes the next stream.</summary>
    public RandomStream Next() => new(Seed, Interlocked.Increment(ref next) - 1);
}

/// <summary>
/// One stream of random numbers. Element i is word i % 4 of the Philox 4x32-10 block whose counter is
/// (low and high word of i / 4, low and high word of <paramref name="Stream"/>) and whose key is the two words of <paramref name="Seed"/>.
/// </summary>
/// <param name="Seed">The key.</param>
/// <param name="Stream">The upper half of the counter.</param>
public readonly record struct RandomStream(ulong Seed, ulong Stream);
