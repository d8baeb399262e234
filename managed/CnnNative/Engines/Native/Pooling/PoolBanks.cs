namespace CnnNative.Engines.Native;

/// <summary>
/// Where the threads of a tile of rows (native/kernels/pool/tile.h) read: the lanes of a warp whose columns belong to two parts meet few
/// conflicts over banks of shared memory when the parts lie well against each other.
/// </summary>
internal static class PoolBanks
{
    private const int Banks = 32, BankBytes = 4, WarpLanes = 32;

    /// <summary>Rows more than an equal share that a part may have.</summary>
    private const int RowsMore = 3;

    /// <summary>The rows of a part with the fewest conflicts, the most equal parts first.</summary>
    /// <param name="rows">Rows of the pooling.</param>
    /// <param name="columns">Its columns.</param>
    /// <param name="inner">Channels of a pixel; 1 in NCHW.</param>
    /// <param name="height">Rows of results in a tile.</param>
    /// <param name="equal">An equal share of them.</param>
    /// <param name="threads">Threads of a block.</param>
    /// <param name="elementBytes">Bytes of an element.</param>
    public static int RowsOfPart(PoolAxis rows, PoolAxis columns, int inner, int height, int equal, int threads, int elementBytes)
    {
        var (best, least) = (equal, int.MaxValue);
        var parts = (height + equal - 1) / equal;
        for (var taken = equal; taken <= equal + Math.Min(RowsMore, equal / 8); taken++)
        {
            if ((height + taken - 1) / taken != parts) break;
            var waves = 0;
            for (var first = 0; first < threads; first += WarpLanes) waves += OfWarp(first, taken);
            if (waves < least) (best, least) = (taken, waves);
        }

        return best;

        // The most words that a bank has for the lanes of a warp; neighbouring lanes may share one.
        int OfWarp(int first, int taken)
        {
            Span<byte> words = stackalloc byte[Banks];
            words.Clear();
            var (last, most, length) = (-1L, 1, columns.Results * inner);
            for (var i = first; i < first + WarpLanes && i < parts * length; i++)
            {
                long row = Source(rows, i / length * taken), column = Source(columns, i % length / inner);
                var word = ((row * columns.Sources + column) * inner + i % inner) * elementBytes / BankBytes;
                if (word == last) continue;
                last = word;
                most = Math.Max(most, ++words[(int)(word % Banks)]);
            }

            return most;
        }

        static int Source(PoolAxis axis, int result) => axis.IsBackward ? result / axis.Stride : result * axis.Stride;
    }
}
