using CnnNative.Interop;

namespace CnnNative.Engines.Native;

/// <summary>Along what four neighbours of a result are stored at once; the twin of the enumeration in native/kernels/gemm/output.h.</summary>
internal enum WideStore
{
    None,
    Columns,
    Rows,
}

/// <summary>Where 16-byte accesses are allowed.</summary>
internal static class Alignment
{
    private const int Bytes = 16;

    public static bool Is16(DevicePointer pointer) => pointer.Address % Bytes == 0;

    /// <summary>1 if memory at an address allows 16-byte accesses of a type's elements in lines of a length, in matrices of a size; 0 if not.</summary>
    public static int Wide(DevicePointer pointer, long pitch, DType type, long batch = 0) =>
        Is16(pointer) && pitch * type.Size() % Bytes == 0 && batch * type.Size() % Bytes == 0 ? 1 : 0;
}
