import CLinux

/// An option of a command line.
package struct CommandOption {
    /// The short form with one hyphen, and the long form with two; `nil`: none.
    fileprivate let short: CString?
    fileprivate let long: CString?
    /// The letter that identifies it: that of its short form, or another if it has none.
    fileprivate let letter: UInt8
    fileprivate let takesArgument: Bool
    /// Whether it may be repeated, each time with another value.
    fileprivate let mayRepeat: Bool

    /// An option with a short form: `-x`.
    package init(
        _ short: CString, _ long: CString? = nil, takesArgument: Bool = false, mayRepeat: Bool = false
    ) {
        self.short = short
        self.long = long
        letter = UInt8(bitPattern: unsafe short.pointer[1])
        self.takesArgument = takesArgument
        self.mayRepeat = mayRepeat
    }

    /// An option with only a long form: `--word`.
    package init(
        _ long: CString, knownBy letter: Unicode.Scalar, takesArgument: Bool = true, mayRepeat: Bool = false
    ) {
        short = nil
        self.long = long
        self.letter = UInt8(truncatingIfNeeded: letter.value)
        self.takesArgument = takesArgument
        self.mayRepeat = mayRepeat
    }

    /// The error for a repeated option, in the form in which it was repeated.
    fileprivate func givenTwice(isWord: Bool) -> SystemError {
        SystemError((isWord ? long : short) ?? "option", "option", because: "given twice")
    }
}

/// Reads the options of a command line with getopt_long(3), which reports unknown ones itself.
///
/// A repeated option is refused, in whichever form: otherwise one of the two would be ignored.
@safe package struct OptionReader {
    private let count: Int32
    private let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// A bit for each option that was given, numbered as in the list of known options.
    private var given: UInt32 = 0
    /// Whether the first positional argument ends the options, as those that follow are another program's.
    private let endsAtOperand: Bool

    /// Starts after the first argument, which is replaced by `program`, the prefix of getopt_long(3)'s messages.
    ///
    /// - Parameters:
    ///   - isSilent: whether the caller reports invalid options itself, see ``refused``.
    ///   - endsAtOperand: whether options stand before all positional arguments.
    package init(
        _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, as program: CString,
        isSilent: Bool = false, endsAtOperand: Bool = false
    ) {
        unsafe arguments[0] = UnsafeMutablePointer(mutating: program.pointer)
        self.count = count
        self.endsAtOperand = endsAtOperand
        if isSilent { clinux_silence_options() }
        unsafe self.arguments = arguments
        clinux_begin_options()
    }

    /// The letter of the next option, `?` for an invalid one, or `nil` if there are no more.
    ///
    /// - Parameter known: the known options, the same each time, 31 at most.
    package mutating func next(of known: Span<CommandOption>) throws(SystemError) -> Unicode.Scalar? {
        var place: Int32 = -1
        let found = getopt(known, &place)
        if found < 0 { return nil }
        if let option = markGiven(found, of: known), !option.mayRepeat { throw option.givenTwice(isWord: place >= 0) }
        return Unicode.Scalar(UInt8(truncatingIfNeeded: found))
    }

    /// Marks an option as given, and returns it if it was given before.
    private mutating func markGiven(_ letter: Int32, of known: Span<CommandOption>) -> CommandOption? {
        for index in known.indices where Int32(known[index].letter) == letter {
            let bit: UInt32 = 1 << UInt32(index)
            let isRepeated = given & bit != 0
            given |= bit
            return isRepeated ? known[index] : nil
        }
        return nil
    }

    /// Calls getopt_long(3). `place` is set to the index of a long option among those with a long form.
    private func getopt(_ known: Span<CommandOption>, _ place: inout Int32) -> Int32 {
        var letters = InlineArray<64, CChar>(repeating: 0)
        var words = unsafe InlineArray<32, option>(repeating: option())
        var (letterCount, wordCount) = (0, 0)
        precondition(known.count < 32)  // an unused one ends the list
        if endsAtOperand {
            letters[0] = CChar(bitPattern: UInt8(ascii: "+"))
            letterCount = 1
        }
        for index in known.indices {
            let option = known[index]
            if option.short != nil {
                letters[letterCount] = CChar(bitPattern: option.letter)
                if option.takesArgument { letters[letterCount + 1] = CChar(bitPattern: UInt8(ascii: ":")) }
                letterCount += option.takesArgument ? 2 : 1
            }
            if let long = option.long {
                unsafe words[wordCount] = CLinux.option(
                    name: long.pointer + 2, has_arg: option.takesArgument ? required_argument : no_argument, flag: nil,
                    val: Int32(option.letter))
                wordCount += 1
            }
        }
        let (letterSpan, wordSpan) = unsafe (letters.span, words.span)
        return unsafe letterSpan.withUnsafeBufferPointer { letters in
            unsafe wordSpan.withUnsafeBufferPointer { words in
                guard let letters = letters.baseAddress else { return -1 }
                return unsafe getopt_long(count, arguments, letters, words.baseAddress, &place)
            }
        }
    }

    /// The argument that getopt_long(3) has just found to be invalid.
    package var refused: CString {
        let place = Int(clinux_option_index()) - 1
        guard place > 0, place < Int(count), let argument = unsafe arguments[place] else { return "option" }
        return unsafe CString(unsafe: argument)
    }

    /// The positional arguments from one on, and the null pointer that ends them.
    package func operands(from index: Int) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        unsafe arguments + min(Int(clinux_option_index()) + index, Int(count))
    }

    /// A positional argument, from 0, once all options are read: getopt_long(3) moves those to the front.
    package func operand(_ index: Int) -> CString? {
        let place = Int(clinux_option_index()) + index
        guard place < Int(count), let argument = unsafe arguments[place] else { return nil }
        return unsafe CString(unsafe: argument)
    }

    /// Refuses positional arguments.
    package func refuseOperands() throws(SystemError) {
        if let extra = operand(0) { throw SystemError(extra, "argument", because: "none is expected") }
    }
}

/// The argument of the option just read, which must have one.
package func optionArgument() -> CString {
    guard let argument = unsafe clinux_option_argument() else { return "(none)" }
    return unsafe CString(unsafe: argument)
}
