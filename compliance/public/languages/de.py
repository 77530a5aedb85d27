"""German, with the formal address."""

from compliance.public.words import Phrases

PHRASES = Phrases(
    name="Deutsch",
    texts={
        # Every page
        "skip": "Zum Inhalt springen",
        "languages": "Sprachen",
        "ask_us": "Fragen? {contact}",
        "staff": "Anmeldung für Mitarbeitende",
        "optional": "freiwillig",
        "error": "Fehler:",
        "errors_title": "Bitte korrigieren Sie dies",
        "back": "Zurück zu Ihrem Antrag",
        "to_beginning": "Zum Anfang",
        # Beginning
        "home_title": "Ihre Daten löschen lassen",
        "home_text": "Modelle des maschinellen Lernens von {controller} sind möglicherweise mit Daten über Sie trainiert "
        "worden. Hier können Sie beantragen, dass das rückgängig gemacht wird, und sehen, was aus Ihrem Antrag wurde. Es "
        "kostet nichts.",
        "home_ask": "Sie brauchen nur eine E-Mail-Adresse, die uns bekannt ist.",
        "home_open": "Mit Aktenzeichen und Zugangsschlüssel aus Ihrer Eingangsbestätigung.",
        "steps_title": "Wie es weitergeht",
        "step_prove": "Sie erhalten einen Code per E-Mail und geben ihn ein, um zu zeigen, dass die Adresse Ihnen gehört.",
        "step_decide": "Ein Mensch prüft Ihren Antrag und entscheidet darüber.",
        "step_change": "Wird er angenommen, werden die Modelle geändert, die Ihre Daten enthalten, und das Ergebnis wird "
        "geprüft.",
        "step_tell": "Sie erfahren, was getan wurde, was nicht, und warum.",
        # Asking
        "ask_title": "Löschung beantragen",
        "ask_text": "Sagen Sie {controller}, wessen Daten gelöscht werden sollen und warum.",
        "label_kind": "Woran wir Sie erkennen",
        "kind_email": "E-Mail-Adresse",
        "label_value": "Ihre E-Mail-Adresse",
        "hint_value": "Diejenige, unter der wir Sie kennen, zum Beispiel name@example.org. Dorthin wird der Code geschickt.",
        "label_ground": "Warum sollen die Daten gelöscht werden?",
        "hint_ground": "Wählen Sie den Grund, der am besten passt. Sie müssen nicht wissen, welchen das Gesetz vorsieht: Wir "
        "prüfen alles.",
        "label_regulation": "Auf welches Recht berufen Sie sich?",
        "regulation_gdpr": "Das Recht der Europäischen Union (DSGVO). Wählen Sie dies, wenn Sie nicht sicher sind.",
        "regulation_ccpa": "Das Recht von Kalifornien (CCPA).",
        "label_said": "Hat ein Modell etwas über Sie gesagt?",
        "hint_said": "Schreiben Sie uns, was es gesagt hat und was es gefragt worden war. Das hilft uns, Ihre Daten zu finden. "
        "Nur wer Ihren Antrag bearbeitet, liest es.",
        "privacy_title": "Was wir mit Ihren Eingaben tun",
        "privacy_text": "{controller} verwendet sie, um Ihre Daten zu finden, um sicherzugehen, dass Sie es sind, und um zu "
        "antworten. Sie werden verschlüsselt gespeichert. {days} Tage nach dem Ende des Antrags wird Ihre Adresse unlesbar "
        "gemacht. Es bleibt ein Vermerk ohne Ihren Namen, dass es einen Antrag gab und was aus ihm wurde, und ein "
        "verschlüsseltes Merkmal, das verhindert, dass Ihre Daten erneut zum Training verwendet werden.",
        "ask_button": "Antrag absenden",
        # Receipt
        "receipt_title": "Ihr Antrag ist eingegangen",
        "receipt_text": "Sie erhalten bis zum {due} eine Antwort. Sollte sie länger dauern, wird Ihnen das bis dahin "
        "mitgeteilt, mit den Gründen.",
        "keep_title": "Bewahren Sie diese beiden jetzt auf",
        "keep_text": "Sie öffnen Ihren Antrag. Der Zugangsschlüssel wird nur dieses eine Mal gezeigt; wir können ihn nicht "
        "noch einmal zeigen.",
        "keep_advice": "Kopieren Sie beide, drucken Sie diese Seite oder speichern Sie sie in einem Passwortmanager. Zeigen Sie "
        "den Zugangsschlüssel niemandem.",
        "receipt_follow": "Weiter: den Code aus der E-Mail eingeben",
        "later_text": "Dieser Browser merkt sich Ihren Antrag eine Stunde lang. Später oder auf einem anderen Gerät:",
        # Opening
        "open_title": "Antrag verfolgen",
        "open_text": "Geben Sie ein, was auf Ihrer Eingangsbestätigung steht.",
        "open_closed": "Dieser Browser hat den Antrag nicht geöffnet, oder es ist mehr als eine Stunde her. Bitte öffnen Sie "
        "ihn.",
        "open_button": "Öffnen",
        "label_request_id": "Aktenzeichen",
        "label_token": "Zugangsschlüssel",
        "lost_title": "Ich habe den Zugangsschlüssel nicht mehr",
        "lost_text": "Er kann nicht noch einmal gezeigt werden. Schreiben zu Ihrem Antrag erreichen Sie trotzdem per E-Mail. Sie "
        "können auch einen neuen Antrag stellen: Er wird mit dem früheren verknüpft, sobald Sie den Code eingegeben haben.",
        # Errors in forms
        "error_field_required": "Diese Angabe fehlt.",
        "error_field_invalid": "Diese Angabe verstehen wir nicht.",
        "error_field_invalid_choice": "Wählen Sie eine der angebotenen Möglichkeiten.",
        "error_field_max_length": "Das ist zu lang.",
        "error_field_null_characters_not_allowed": "Darin ist ein Zeichen, das nicht gespeichert werden kann.",
        "error_value_required": "Geben Sie Ihre E-Mail-Adresse ein.",
        "error_value_invalid": "Geben Sie eine E-Mail-Adresse ein, zum Beispiel name@example.org.",
        "error_ground_required": "Wählen Sie, warum die Daten gelöscht werden sollen.",
        "error_regulation_required": "Wählen Sie das Recht, auf das Sie sich berufen.",
        "error_request_id_required": "Geben Sie das Aktenzeichen ein.",
        "error_request_id_invalid": "Geben Sie das Aktenzeichen so ein, wie es auf der Eingangsbestätigung steht: 36 Zeichen, mit "
        "Bindestrichen.",
        "error_token_required": "Geben Sie den Zugangsschlüssel ein.",
        "error_code_required": "Geben Sie den Code aus der E-Mail ein.",
        "error_code_invalid": "Geben Sie die zehn Ziffern des Codes ein.",
        "error_answer_required": "Schreiben Sie Ihre Antwort.",
        "error_text_required": "Schreiben Sie, was das Modell gesagt hat.",
        "error_not_opened": "Aktenzeichen und Zugangsschlüssel gehören nicht zusammen. Prüfen Sie beide, und geben Sie den "
        "Schlüssel noch einmal ein.",
        # Errors of what was asked for
        "error_identity_not_confirmed": "Der Code ist falsch, zu alt oder aufgebraucht. Fordern Sie einen neuen an, und geben "
        "Sie ihn ein, solange er gilt.",
        "error_invalid_input": "Das konnte nicht gelesen werden. Prüfen Sie Ihre Eingaben.",
        "error_wrong_state": "Das ist beim jetzigen Stand Ihres Antrags nicht möglich. Diese Seite zeigt, wo er steht.",
        "error_changed_meanwhile": "Ihr Antrag hat sich inzwischen geändert. Diese Seite zeigt, wo er jetzt steht.",
        "error_not_ready": "Das ist im Moment nicht möglich. Bitte versuchen Sie es in einer Stunde noch einmal.",
        "error_not_now": "Das hat nicht funktioniert, und es wurde nichts geändert. Bitte versuchen Sie es später noch einmal.",
        # Following
        "follow_title": "Ihr Löschantrag",
        "state_received": "Ihr Antrag ist eingegangen",
        "next_received": "Gleich erhalten Sie einen Code per E-Mail.",
        "state_identity_pending": "Wir warten auf Sie",
        "next_identity_pending": "Zeigen Sie, dass der Antrag von Ihnen stammt. Bis dahin entscheidet niemand über ihn.",
        "state_under_review": "Ein Mensch prüft Ihren Antrag",
        "next_under_review": "Sie brauchen nichts zu tun. Die Entscheidung wird Ihnen mitgeteilt.",
        "state_info_requested": "Wir haben eine Frage",
        "next_info_requested": "Bitte beantworten Sie sie unten. Danach wird über Ihren Antrag entschieden.",
        "state_approved": "Ihr Antrag ist angenommen",
        "next_approved": "Die Modelle, die Ihre Daten enthalten, werden demnächst geändert. Sie brauchen nichts zu tun.",
        "state_executing": "Modelle werden geändert",
        "next_executing": "Die Modelle, die Ihre Daten enthalten, werden gerade geändert. Sie brauchen nichts zu tun.",
        "state_verifying": "Geänderte Modelle werden geprüft",
        "next_verifying": "Prüfungen zeigen, wie weit die geänderten Modelle Sie noch kennen. Sie brauchen nichts zu tun.",
        "state_attention": "Etwas verlief nicht wie geplant",
        "next_attention": "Ein Mensch geht dem nach. Der Tag, bis zu dem Sie eine Antwort haben, bleibt derselbe.",
        "state_signoff": "Das Ergebnis wird kontrolliert",
        "next_signoff": "Eine zweite Person kontrolliert die Arbeit, bevor sie abgeschlossen wird. Sie brauchen nichts zu tun.",
        "state_completed": "Ihr Antrag ist abgeschlossen",
        "next_completed": "Unten lesen Sie, was getan wurde und wie weit es geprüft ist.",
        "state_partly_completed": "Ihr Antrag ist zum Teil abgeschlossen",
        "next_partly_completed": "Unten lesen Sie, was getan wurde, was nicht und warum, und wo Sie sich beschweren können.",
        "state_refused": "Ihr Antrag wurde abgelehnt",
        "next_refused": "Unten lesen Sie die Gründe und wo Sie sich beschweren können.",
        "state_withdrawn": "Sie haben Ihren Antrag zurückgenommen",
        "next_withdrawn": "Es wurde nichts gelöscht. Sie können jederzeit einen neuen Antrag stellen.",
        "state_closed_unverified": "Ihr Antrag wurde geschlossen",
        "next_closed_unverified": "Niemand hat gezeigt, dass der Antrag von ihm stammt, deshalb wurde nichts gelöscht. Sie "
        "können jederzeit einen neuen stellen.",
        "proof_title": "Zeigen Sie, dass der Antrag von Ihnen stammt",
        "proof_text": "Wir verlangen nicht mehr als nötig. Von dem, was Sie zeigen, wird nichts aufbewahrt. Sie können:",
        "proof_so_far": "Bisher nachgewiesen: Stufe {level}. Nötig ist Stufe {needed}.",
        "way_email_code": "den Code eingeben, der an Ihre Adresse geschickt wird",
        "way_oidc": "sich mit dem Konto anmelden, das zu Ihrer Adresse gehört",
        "way_staff": "uns bitten, es auf andere Weise zu prüfen: {contact}",
        "label_code": "Code aus der E-Mail",
        "hint_code": "Zehn Ziffern. Sehen Sie auch bei den unerwünschten Nachrichten nach.",
        "code_button": "Bestätigen",
        "fresh_code_button": "Neuen Code schicken",
        "sign_in": "Anmelden",
        "question_title": "Unsere Frage an Sie",
        "question_unreadable": "Die Frage kann im Moment nicht gezeigt werden. Sie wurde Ihnen auch per E-Mail geschickt.",
        "label_answer": "Ihre Antwort",
        "answer_button": "Antwort absenden",
        "dates_title": "Termine",
        "received": "Eingegangen",
        "decided": "Entschieden",
        "closed": "Geschlossen",
        "due": "Antwort bis",
        "extended": "verlängert",
        "because_title": "Warum dieser Tag?",
        "because_received": "Ihr Antrag ist am {received} eingegangen. Dieser Tag zählt nicht mit.",
        "because_gdpr": "Das Gesetz lässt für die Antwort einen Monat Zeit ({cite}). Er endet am {end}.",
        "because_ccpa": "Das Gesetz lässt für die Antwort 45 Tage Zeit ({cite}). Sie enden am {end}.",
        "because_rolled": "Der {end} ist kein Arbeitstag; die Antwort ist am nächsten fällig, dem {due}.",
        "because_extended": "Am {told} haben wir Ihnen mitgeteilt, dass die Antwort länger dauert. {reason} Sie ist nun bis zum "
        "{due} fällig.",
        "because_waiting": "Solange wir auf Sie warten, kann die Frist nach dem Gesetz stillstehen. Wir verlassen uns nicht "
        "darauf: Der genannte Tag ist der frühere.",
        "because_waited": "Wir haben eine Zeit lang auf Sie gewartet. Stand die Frist währenddessen still, endet sie am "
        "{paused}. Wir halten uns an den früheren Tag.",
        "models_title": "Modelle",
        "models_text": "Die Modelle, die {controller} für diesen Zweck registriert hat.",
        "models_concerned": "Mit Daten über Sie trainiert",
        "models_done": "Geändert und so in Betrieb",
        "models_excepted": "Unverändert aus einem Grund, den das Gesetz nennt",
        "models_held": "Vorerst angehalten",
        "outcome_title": "Was daraus wurde",
        "outcome_none": "Die Einzelheiten wurden Ihnen per E-Mail mitgeteilt und können hier nicht mehr gezeigt werden.",
        "evidence_title": "Worauf sich das stützt",
        "evidence_text": "Eine Zeile für jedes geänderte Modell; gemeint sind Ihre Datensätze. Die lange Zahl bezeichnet den "
        "signierten Eintrag in unserem Verzeichnis, mit dem andere das nachprüfen können.",
        "evidence_digest": "Eintrag:",
        "result_passed": "Die vorab festgelegten Prüfungen wurden bestanden.",
        "result_warned": "Die Prüfungen wurden bestanden, bis auf eine, die zu keinem Ergebnis kam.",
        "result_failed": "Die Prüfungen wurden nicht bestanden.",
        "letters_title": "Schreiben an Sie",
        "letters_none": "Es gibt noch keine.",
        "letter_sent": "verschickt am {day}",
        "letter_owed": "wird in Kürze verschickt",
        "letter_receipt": "Eingangsbestätigung",
        "letter_identity": "Code",
        "letter_identity_reminder": "Erinnerung an den Code",
        "letter_question": "Frage",
        "letter_extension": "Die Antwort dauert länger",
        "letter_completed": "Abschluss",
        "letter_partly_completed": "Teilweiser Abschluss",
        "letter_refused": "Ablehnung",
        "letter_withdrawn": "Rücknahme",
        "letter_closed_unverified": "Schließung ohne Nachweis der Identität",
        "leaving_title": "Bevor Sie gehen",
        "leaving_text": "Dieser Browser merkt sich Ihren Antrag eine Stunde lang. Lassen Sie ihn auf einem Gerät, das auch "
        "andere benutzen, vergessen.",
        "forget_button": "In diesem Browser vergessen",
        # Taking back, complaining
        "withdraw_title": "Antrag zurücknehmen",
        "withdraw_text": "Dann wird nichts gelöscht, und der Antrag ist endgültig geschlossen. Sie können jederzeit einen neuen "
        "stellen.",
        "withdraw_button": "Ja, zurücknehmen",
        "complain_title": "Ein Modell kennt mich noch",
        "complain_invitation": "Sagt ein Modell noch immer etwas über Sie?",
        "complain_text": "Ihre Meldung wird ein neuer Antrag, der mit diesem verknüpft ist. Sie erhalten einen neuen "
        "Zugangsschlüssel und werden wieder nach einem Code gefragt.",
        "label_text": "Was hat das Modell gesagt?",
        "hint_text": "Schreiben Sie uns bitte auch, welches Modell es war und was es gefragt worden war.",
        "complain_button": "Meldung absenden",
        # What was done
        "done_code": "Danke, der Code war richtig.",
        "done_fresh_code": "Ein neuer Code ist unterwegs. Ältere gelten nicht mehr.",
        "done_answer": "Danke. Ihre Antwort ist angekommen.",
        "done_withdrawn": "Ihr Antrag ist zurückgenommen.",
        "done_forgotten": "Dieser Browser hat Ihren Antrag vergessen.",
        "done_sign_in": "Danke, Ihre Anmeldung ist vermerkt.",
        # What went wrong
        "title_not_found": "Unter dieser Adresse ist nichts",
        "text_not_found": "Der Link ist vielleicht beschädigt, oder was er bezeichnet, gibt es nicht.",
        "title_too_many": "Zu viele Versuche",
        "text_too_many": "Zur Sicherheit nehmen wir nur eine begrenzte Zahl an. Bitte warten Sie, in Minuten: {minutes}. "
        "Versuchen Sie es dann noch einmal.",
        "title_form_too_old": "Das Formular war zu alt",
        "text_form_too_old": "Es war zu lange offen, oder dieser Browser nimmt keine Cookies an. Es wurde nichts abgesandt. "
        "Öffnen Sie die Seite neu, und wiederholen Sie Ihre Eingabe; für diese Formulare müssen Cookies erlaubt sein.",
        "title_not_opened": "Öffnen Sie zuerst Ihren Antrag",
        "text_not_opened": "Öffnen Sie Ihren Antrag in diesem Browser mit Aktenzeichen und Zugangsschlüssel, und melden Sie sich "
        "dann von dort aus an.",
        "title_sign_in_refused": "Ihre Anmeldung wurde nicht angenommen",
        "text_sign_in_refused": "Sie weist nicht nach, dass der Antrag von Ihnen stammt. Melden Sie sich noch einmal an, mit dem "
        "Konto der Adresse, für die der Antrag gestellt wurde.",
        "title_sign_in_late": "Auf diese Weise ist nichts mehr nachzuweisen",
        "text_sign_in_late": "Das ist bereits nachgewiesen, oder Ihr Antrag ist schon weiter. Seine Seite zeigt, wo er steht.",
        "title_sign_in_unavailable": "Die Anmeldung funktioniert gerade nicht",
        "text_sign_in_unavailable": "Die Anmeldung ist im Moment nicht möglich. Niemand zweifelt daran, dass Sie es sind. Bitte "
        "versuchen Sie es später noch einmal.",
    },
)
