// The kernels of ggml (the tensor library of llama.cpp) that are run, as nvcc mangles them, and two of CUB that it holds.
#pragma once

#include <string_view>

namespace cnn::foreign {

inline constexpr char im2colSingle[] = "_Z13im2col_kernelIfEvPKfPT_llllllllllllliiiiii";
inline constexpr char im2colHalf[] = "_Z13im2col_kernelI6__halfEvPKfPT_llllllllllllliiiiii";
inline constexpr char convolutionSingle[] = "_Z13conv2d_kernelIf11whcn_layoutEvPKfPKT_Pf11conv_params";
inline constexpr char convolutionHalf[] = "_Z13conv2d_kernelI6__half11whcn_layoutEvPKfPKT_Pf11conv_params";
inline constexpr char padHalf[] = "_Z14conv2d_pad_f16PKfP6__halfiiiiiii";
inline constexpr char implicitTensor3x3[] = "_Z24conv2d_implicit_gemm_f16ILi3ELi3ELb1EEvPK6__halfS2_Pf11conv_paramsi";
inline constexpr char implicitTensorAny[] = "_Z24conv2d_implicit_gemm_f16ILi0ELi0ELb1EEvPK6__halfS2_Pf11conv_paramsi";
inline constexpr char implicitScalar3x3[] = "_Z24conv2d_implicit_gemm_f16ILi3ELi3ELb0EEvPK6__halfS2_Pf11conv_paramsi";
inline constexpr char reduceSplits[] = "_Z21conv2d_reduce_split_kPKfPfiii";
inline constexpr char depthwisePlanar[] = "_Z16conv2d_dw_kernelIf11whcn_layoutEvPKT_S3_PS1_iiiiiiiiiiiiii";
inline constexpr char depthwiseChannelsLast[] = "_Z16conv2d_dw_kernelIf11cwhn_layoutEvPKT_S3_PS1_iiiiiiiiiiiiii";
inline constexpr char pooling[] = "_Z18pool2d_nchw_kernelIffEviiiiiiiiiiiPKT_PT0_12ggml_op_pool";
inline constexpr char softmaxRows[] = "_Z12soft_max_f32ILb1ELi0ELi0EfEvPKfPKT2_S1_Pf15soft_max_params";
inline constexpr char softmaxGrid[] = "_Z29soft_max_f32_parallelize_colsPKfPfS1_S1_15soft_max_params";
inline constexpr char softmaxBackward[] = "_Z17soft_max_back_f32PKfS0_Pfif";
inline constexpr char crossEntropy[] = "_Z22cross_entropy_loss_f32ILb1EEvPKfS1_Pfii";
inline constexpr char crossEntropyBackward[] = "_Z27cross_entropy_loss_back_f32ILb1EEvPKfS1_S1_Pfi";
inline constexpr char normalise[] = "_Z8norm_f32ILi1024EEvPKfPfilllf";
inline constexpr char normaliseGroups[] = "_Z14group_norm_f32ILi1024EEvPKfPfiif";
inline constexpr char meanOfRows[] = "_Z15reduce_rows_f32ILb1EEvPKfPfi";
inline constexpr char argumentOfMaximum[] = "_Z10argmax_f32PKfPil";
inline constexpr char adamw[] = "_Z18opt_step_adamw_f32PfPKfS_S_S1_l";
inline constexpr char sgd[] = "_Z16opt_step_sgd_f32PfPKfS1_l";
inline constexpr char cubSort[] = "_ZN3cub43CUB_300104_SM_750_800_860_890_900_1200_12106detail10radix_sort31DeviceRadixSortSingleTileKernelINS1_5radix10policy_hubIfijE10Policy1000ELNS0_9SortOrderE0EfijNS1_21identity_decomposer_tEEEvPKT1_PSA_PKT2_PSE_T3_iiT4_";
inline constexpr char cubSum[] = "_ZN3cub43CUB_300104_SM_750_800_860_890_900_1200_12106detail6reduce28DeviceReduceSingleTileKernelINS2_10policy_hubIfyN4cuda3std3__44plusIvEEE10Policy1000EPKfPfyS9_ffNS7_8identityEEEvT0_T1_T2_T3_T4_T6_";

inline constexpr std::string_view kernelNames[] = {
    im2colSingle, im2colHalf, convolutionSingle, convolutionHalf, padHalf, implicitTensor3x3, implicitTensorAny, implicitScalar3x3, reduceSplits,
    depthwisePlanar, depthwiseChannelsLast, pooling, softmaxRows, softmaxGrid, softmaxBackward, crossEntropy, crossEntropyBackward, normalise,
    normaliseGroups, meanOfRows, argumentOfMaximum, adamw, sgd, cubSort, cubSum,
};

}  // namespace cnn::foreign
