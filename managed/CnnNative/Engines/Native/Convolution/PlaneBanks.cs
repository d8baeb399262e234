namespace CnnNative.Engines.Native;

/// <summary>
/// Where the threads of native/kernels/conv/plane_tile.h read: a warp whose columns belong to several parts of a plane, or to several
/// planes, meets few conflicts over banks of shared memory when these lie well against each other.
/// </summary>
internal static class PlaneBanks
{
    private const int Banks = 32, BankBytes = 4, WarpLanes = 32, Warps = 4;

    /// <summary>Steps from plane to plane that are tried, and rows more than an equal share that a part may have.</summary>
    private const int MostStep = 9, RowsMore = 3;

    /// <summary>The rows of a part and the step from plane to plane with the fewest conflicts, the most equal parts first.</summary>
    /// <param name="planes">Planes, rows and parts of a block.</param>
    /// <param name="shape">The convolution.</param>
    public static (int RowsOfPart, int PlaneStep) Best(in DepthwisePlanes planes, in DepthwiseShape shape)
    {
        var equal = (planes.Rows + planes.Parts - 1) / planes.Parts;
        var (best, least) = ((equal, 1), int.MaxValue);
        for (var rows = equal; rows <= (planes.Parts == 1 ? equal : equal + Math.Min(RowsMore, equal / 4)); rows++)
        {
            for (var step = 1; step <= MostStep && (step == 1 || step < planes.Planes); step++)
            {
                if (!AreCoprime(step, planes.Planes)) continue;
                var waves = Wavefronts(planes, shape, rows, step, least);
                if (waves < least) (best, least) = ((rows, step), waves);
                if (least == Warps) return best;
            }
        }

        return best;
    }

    /// <summary>Wavefronts of one load by the warps of a block, as far as fewer than <paramref name="most"/>.</summary>
    private static int Wavefronts(in DepthwisePlanes planes, in DepthwiseShape shape, int rowsOfPart, int planeStep, int most)
    {
        var waves = 0;
        for (var warp = 0; warp < Warps && waves < most; warp++) waves += OfWarp(planes, shape, rowsOfPart, planeStep, warp);
        return waves;
    }

    /// <summary>The most words that a bank has for the lanes of a warp; neighbouring lanes may share one.</summary>
    private static int OfWarp(in DepthwisePlanes planes, in DepthwiseShape shape, int rowsOfPart, int planeStep, int warp)
    {
        Span<byte> words = stackalloc byte[Banks];
        words.Clear();
        var (size, pass, stride) = (shape.Type.Size(), shape.Pass, shape.Stride);
        var width = pass == ConvolutionPass.BackwardWeight ? planes.Lanes : shape.Width;
        var (last, most) = (-1, 1);
        for (var index = warp * WarpLanes; index < (warp + 1) * WarpLanes; index++)
        {
            var group = index / width;
            var row = group % planes.Parts * rowsOfPart;
            if (group / planes.Parts >= planes.Planes || row >= planes.Rows) continue;
            var plane = group / planes.Parts * planeStep % planes.Planes;
            var element = (plane * shape.SourceHeight + Source(row)) * shape.SourceWidth + Source(index % width);
            var word = element * size / BankBytes;
            if (word == last) continue;
            last = word;
            most = Math.Max(most, ++words[word % Banks]);
        }

        return most;

        int Source(int result) => pass == ConvolutionPass.BackwardData ? result / stride : result * stride;
    }

    private static bool AreCoprime(int a, int b) => b == 0 ? a == 1 : AreCoprime(b, a % b);
}
