// The bytes of base/avx512.model and base/avx2.model, each between two symbols.
        .macro whet_model name, file
        .balign 16
        .global whet_base_model_\name
        .global whet_base_model_\name\()_end
whet_base_model_\name:
        .incbin "\file"
whet_base_model_\name\()_end:
        .endm

        .section .rodata
        whet_model avx512, WHET_AVX512_MODEL
        whet_model avx2, WHET_AVX2_MODEL
        .section .note.GNU-stack, "", %progbits
