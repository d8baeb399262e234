namespace CnnNative.Engines.Native;

/// <summary>When products of halves go to the matrix units of compute capability 9.0 (native/kernels/gemm/wgmma_tile.h).</summary>
internal enum WgmmaUse
{
    /// <summary>Never: the device has none.</summary>
    Never,

    /// <summary>Where the estimate is no worse than that of the portable kernels.</summary>
    WherePays,

    /// <summary>Wherever they can; for tests.</summary>
    WherePossible,
}

/// <summary>The choice between plans for the two kinds of kernels. Pure functions.</summary>
internal static class WgmmaUses
{
    /// <summary>What a device has: code for sm_90a runs on compute capability 9.0, and on nothing after it.</summary>
    /// <param name="capability">10 * major + minor.</param>
    public static WgmmaUse Of(int capability) => capability == 90 ? WgmmaUse.WherePays : WgmmaUse.Never;

    /// <summary>Whether a product that both kinds can compute is to be computed by wgmma.</summary>
    public static bool Prefers(this WgmmaUse use, in TilePlan wgmma, in TilePlan portable) => use switch
    {
        WgmmaUse.WherePossible => true,
        WgmmaUse.WherePays => wgmma.Cost <= portable.Cost,
        _ => false,
    };
}
