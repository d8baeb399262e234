namespace CnnNative;

/// <summary>This build of the library has no PTX for a kernel; the message says how to get it.</summary>
public sealed class KernelsMissingException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="problem">What is missing.</param>
    public KernelsMissingException(string problem)
        : base($"{problem}. Build the kernels (cmake -S . -B build && cmake --build build --target native_kernels; needs cmake and clang-19 or nvcc) and build again, "
               + "or name a folder of PTX in CNN_PTX")
    {
    }
}
