using System.Collections.Concurrent;

namespace CnnNative.Interop;

/// <summary>
/// An object that the driver did not take back, so that what it holds stays held until the process ends. Releasing it again could free what
/// belongs to somebody else by then, and the finalizer has nobody to throw at: so it is noted.
/// </summary>
/// <param name="Object">What it was.</param>
/// <param name="Status">What the driver said.</param>
public sealed record RefusedRelease(string Object, CudaStatus Status)
{
    /// <summary>A lost context refuses everything; the first ones tell as much as all of them.</summary>
    private const int MostNoted = 1000;

    private static readonly ConcurrentQueue<RefusedRelease> Noted = new();

    /// <summary>Those of this process so far, oldest first; the first thousand.</summary>
    public static IReadOnlyList<RefusedRelease> All => Noted.ToArray();

    internal static void Note(RefusedRelease release)
    {
        if (Noted.Count < MostNoted) Noted.Enqueue(release);
    }
}
