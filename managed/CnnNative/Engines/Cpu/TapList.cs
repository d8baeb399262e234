namespace CnnNative.Engines.Cpu;

/// <summary>Distances of filter taps in planes, in the order of the filters' elements: channel, row, column.</summary>
internal static unsafe class TapList
{
    /// <summary>Floats of scratch that a list takes.</summary>
    public static long Floats(int depth) => (long)depth * (sizeof(nint) / sizeof(float));

    /// <summary>Writes the taps of a group's channels.</summary>
    public static nint* Forward(in ConvolutionProblem problem, in ImagePlanes planes, float* room)
    {
        var taps = (nint*)room;
        var next = taps;
        for (var c = 0; c < problem.C / problem.Groups; c++)
        {
            for (var r = 0; r < problem.R; r++)
            {
                for (var s = 0; s < problem.S; s++) *next++ = (nint)c * planes.Length + planes.Tap(r, s);
            }
        }

        return taps;
    }
}
