	.file	"force_include_types.cpp"
	.section	.rodata.cst4,"aM",@progbits,4
	.p2align	2, 0x0                          # -- Begin function whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o
.LCPI0_0:
	.long	2147483648                      # 0x80000000
.LCPI0_1:
	.long	0xc2b00000                      # float -88
.LCPI0_2:
	.long	0x42b20000                      # float 89
.LCPI0_3:
	.long	0x3fb8aa3b                      # float 1.44269502
.LCPI0_4:
	.long	0xcb40007f                      # float -12583039
.LCPI0_5:
	.long	0x3f317218                      # float 0.693147182
.LCPI0_6:
	.long	0x3c07d3ec                      # float 0.0082902722
.LCPI0_7:
	.long	0x3d2b9d68                      # float 0.0418981612
.LCPI0_8:
	.long	0x3e2aad37                      # float 0.166676387
.LCPI0_9:
	.long	0x3efffee2                      # float 0.499991477
.LCPI0_10:
	.long	0x3f7ffffb                      # float 0.999999701
.LCPI0_11:
	.long	0x3f800000                      # float 1
	.section	.text.whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o,"ax",@progbits
	.globl	whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o
	.p2align	4
	.type	whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o,@function
whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o: # @whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o
# %bb.0:                                # %entry
	shll	$6, %esi
	movslq	%esi, %rax
	shlq	$8, %rax
	orq	$224, %rax
	movq	8(%rdx), %rcx
	addq	%rax, %rcx
	addq	(%rdx), %rax
	xorl	%edx, %edx
	vbroadcastss	.LCPI0_0(%rip), %ymm0   # ymm0 = [2147483648,2147483648,2147483648,2147483648,2147483648,2147483648,2147483648,2147483648]
	vbroadcastss	.LCPI0_1(%rip), %ymm1   # ymm1 = [-8.8E+1,-8.8E+1,-8.8E+1,-8.8E+1,-8.8E+1,-8.8E+1,-8.8E+1,-8.8E+1]
	vbroadcastss	.LCPI0_2(%rip), %ymm2   # ymm2 = [8.9E+1,8.9E+1,8.9E+1,8.9E+1,8.9E+1,8.9E+1,8.9E+1,8.9E+1]
	vbroadcastss	.LCPI0_3(%rip), %ymm3   # ymm3 = [1.44269502E+0,1.44269502E+0,1.44269502E+0,1.44269502E+0,1.44269502E+0,1.44269502E+0,1.44269502E+0,1.44269502E+0]
	vbroadcastss	.LCPI0_4(%rip), %ymm4   # ymm4 = [-1.2583039E+7,-1.2583039E+7,-1.2583039E+7,-1.2583039E+7,-1.2583039E+7,-1.2583039E+7,-1.2583039E+7,-1.2583039E+7]
	vbroadcastss	.LCPI0_5(%rip), %ymm5   # ymm5 = [6.93147182E-1,6.93147182E-1,6.93147182E-1,6.93147182E-1,6.93147182E-1,6.93147182E-1,6.93147182E-1,6.93147182E-1]
	vbroadcastss	.LCPI0_6(%rip), %ymm6   # ymm6 = [8.2902722E-3,8.2902722E-3,8.2902722E-3,8.2902722E-3,8.2902722E-3,8.2902722E-3,8.2902722E-3,8.2902722E-3]
	vbroadcastss	.LCPI0_7(%rip), %ymm7   # ymm7 = [4.18981612E-2,4.18981612E-2,4.18981612E-2,4.18981612E-2,4.18981612E-2,4.18981612E-2,4.18981612E-2,4.18981612E-2]
	vbroadcastss	.LCPI0_8(%rip), %ymm8   # ymm8 = [1.66676387E-1,1.66676387E-1,1.66676387E-1,1.66676387E-1,1.66676387E-1,1.66676387E-1,1.66676387E-1,1.66676387E-1]
	vbroadcastss	.LCPI0_9(%rip), %ymm9   # ymm9 = [4.99991477E-1,4.99991477E-1,4.99991477E-1,4.99991477E-1,4.99991477E-1,4.99991477E-1,4.99991477E-1,4.99991477E-1]
	vbroadcastss	.LCPI0_10(%rip), %ymm10 # ymm10 = [9.99999701E-1,9.99999701E-1,9.99999701E-1,9.99999701E-1,9.99999701E-1,9.99999701E-1,9.99999701E-1,9.99999701E-1]
	vbroadcastss	.LCPI0_11(%rip), %ymm11 # ymm11 = [1.0E+0,1.0E+0,1.0E+0,1.0E+0,1.0E+0,1.0E+0,1.0E+0,1.0E+0]
	.p2align	4
.LBB0_1:                                # %"1_for_sigmoid_stage$1.s0.c.c_t.c_m"
                                        # =>This Inner Loop Header: Depth=1
	vxorps	-224(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, -224(%rcx,%rdx)
	vxorps	-192(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, -192(%rcx,%rdx)
	vxorps	-160(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, -160(%rcx,%rdx)
	vxorps	-128(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, -128(%rcx,%rdx)
	vxorps	-96(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, -96(%rcx,%rdx)
	vxorps	-64(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, -64(%rcx,%rdx)
	vxorps	-32(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, -32(%rcx,%rdx)
	vxorps	(%rax,%rdx), %ymm0, %ymm12
	vmaxps	%ymm12, %ymm1, %ymm12
	vminps	%ymm12, %ymm2, %ymm12
	vmovaps	%ymm3, %ymm13
	vfmsub213ps	%ymm4, %ymm12, %ymm13   # ymm13 = (ymm12 * ymm13) - ymm4
	vaddps	%ymm4, %ymm13, %ymm14
	vfnmadd213ps	%ymm12, %ymm5, %ymm14   # ymm14 = -(ymm5 * ymm14) + ymm12
	vmovaps	%ymm6, %ymm12
	vfmadd213ps	%ymm7, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm7
	vfmadd213ps	%ymm8, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm8
	vfmadd213ps	%ymm9, %ymm14, %ymm12   # ymm12 = (ymm14 * ymm12) + ymm9
	vfmadd213ps	%ymm10, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm10
	vfmadd213ps	%ymm11, %ymm14, %ymm12  # ymm12 = (ymm14 * ymm12) + ymm11
	vpslld	$23, %ymm13, %ymm13
	vmulps	%ymm13, %ymm12, %ymm12
	vaddps	%ymm11, %ymm12, %ymm12
	vdivps	%ymm12, %ymm11, %ymm12
	vmovaps	%ymm12, (%rcx,%rdx)
	addq	$256, %rdx                      # imm = 0x100
	cmpq	$16384, %rdx                    # imm = 0x4000
	jne	.LBB0_1
# %bb.2:                                # %destructor_block
	xorl	%eax, %eax
	vzeroupper
	retq
.Lfunc_end0:
	.size	whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o, .Lfunc_end0-whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o
                                        # -- End function
	.section	.text.whet_kernel,"ax",@progbits
	.globl	whet_kernel                     # -- Begin function whet_kernel
	.p2align	4
	.type	whet_kernel,@function
whet_kernel:                            # @whet_kernel
# %bb.0:                                # %entry
	subq	$24, %rsp
	movq	16(%rdi), %rax
	movq	16(%rsi), %rcx
	movq	%rax, 8(%rsp)
	movq	%rcx, 16(%rsp)
	movq	whet_kernel_par_for_sigmoid_stage__1_s0_c_c_o@GOTPCREL(%rip), %rsi
	leaq	8(%rsp), %r8
	xorl	%edi, %edi
	xorl	%edx, %edx
	movl	$49, %ecx
	callq	halide_do_par_for@PLT
	xorl	%eax, %eax
	addq	$24, %rsp
	retq
.Lfunc_end1:
	.size	whet_kernel, .Lfunc_end1-whet_kernel
                                        # -- End function
	.section	.text.whet_kernel_argv,"ax",@progbits
	.globl	whet_kernel_argv                # -- Begin function whet_kernel_argv
	.p2align	4
	.type	whet_kernel_argv,@function
whet_kernel_argv:                       # @whet_kernel_argv
# %bb.0:                                # %entry
	pushq	%rax
	movq	(%rdi), %rax
	movq	8(%rdi), %rsi
	movq	%rax, %rdi
	callq	whet_kernel@PLT
	xorl	%eax, %eax
	popq	%rcx
	retq
.Lfunc_end2:
	.size	whet_kernel_argv, .Lfunc_end2-whet_kernel_argv
                                        # -- End function
	.ident	"clang version 21.1.1 (https://github.com/llvm/llvm-project.git 5a86dc996c26299de63effc927075dcbfb924167)"
	.ident	"clang version 21.1.1 (https://github.com/llvm/llvm-project.git 5a86dc996c26299de63effc927075dcbfb924167)"
	.ident	"clang version 21.1.1 (https://github.com/llvm/llvm-project.git 5a86dc996c26299de63effc927075dcbfb924167)"
	.ident	"clang version 21.1.1 (https://github.com/llvm/llvm-project.git 5a86dc996c26299de63effc927075dcbfb924167)"
	.ident	"clang version 21.1.1 (https://github.com/llvm/llvm-project.git 5a86dc996c26299de63effc927075dcbfb924167)"
	.ident	"clang version 21.1.1 (https://github.com/llvm/llvm-project.git 5a86dc996c26299de63effc927075dcbfb924167)"
	.section	".note.GNU-stack","",@progbits
