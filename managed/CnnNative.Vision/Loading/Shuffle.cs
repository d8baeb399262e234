namespace CnnNative.Vision;

/// <summary>
/// The order of the images in an epoch: Fisher and Yates' shuffle (in Durstenfeld's form, from the end) over Philox,
/// with the seed as the key and the epoch in the stream number, so that it depends on nothing else.
/// </summary>
internal static class Shuffle
{
    /// <summary>Upper half of the stream numbers, so that no other use of a seed draws the same numbers.</summary>
    private const ulong Streams = 0x5348_0000_0000_0000;

    /// <summary>Fills an array with the numbers from 0 on, in the order of the epoch.</summary>
    public static void Fill(Span<int> order, ulong seed, int epoch)
    {
        var random = new RandomReader(new RandomStream(seed, Streams + (ulong)epoch));
        for (var i = 0; i < order.Length; i++) order[i] = i;
        for (var i = order.Length - 1; i > 0; i--)
        {
            var other = random.Below(i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
    }
}
