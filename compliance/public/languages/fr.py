"""French, with the formal address."""

from compliance.public.words import Phrases

PHRASES = Phrases(
    name="Français",
    texts={
        # Every page
        "skip": "Aller au contenu",
        "languages": "Langues",
        "ask_us": "Des questions ? {contact}",
        "staff": "Connexion du personnel",
        "optional": "facultatif",
        "error": "Erreur :",
        "errors_title": "À corriger",
        "back": "Retour à votre demande",
        "to_beginning": "Retour au début",
        # Beginning
        "home_title": "Faire effacer vos données",
        "home_text": "Des modèles d’apprentissage automatique de {controller} ont peut-être été entraînés sur des données qui "
        "vous concernent. Vous pouvez demander ici que cela soit défait, et voir ce que devient votre demande. C’est "
        "gratuit.",
        "home_ask": "Il vous suffit d’une adresse électronique que nous connaissons.",
        "home_open": "Avec la référence et la clé d’accès de votre accusé de réception.",
        "steps_title": "Prochaines étapes",
        "step_prove": "Vous recevez un code par courriel et vous le saisissez pour montrer que l’adresse est la vôtre.",
        "step_decide": "Une personne examine votre demande et prend une décision.",
        "step_change": "Si elle est acceptée, les modèles qui contiennent vos données sont modifiés et le résultat est testé.",
        "step_tell": "Vous apprenez ce qui a été fait, ce qui ne l’a pas été, et pourquoi.",
        # Asking
        "ask_title": "Demander l’effacement",
        "ask_text": "Indiquez à {controller} les données de qui sont à effacer, et pourquoi.",
        "label_kind": "Ce à quoi nous vous reconnaissons",
        "kind_email": "Adresse électronique",
        "label_value": "Votre adresse électronique",
        "hint_value": "Celle sous laquelle nous vous connaissons, par exemple nom@example.org. Le code y est envoyé.",
        "label_ground": "Pourquoi faut-il effacer les données ?",
        "hint_ground": "Choisissez le motif qui convient le mieux. Vous n’avez pas à savoir lequel la loi retient : nous "
        "vérifions tout.",
        "label_regulation": "Quelle loi invoquez-vous ?",
        "regulation_gdpr": "Le droit de l’Union européenne (RGPD). Choisissez-le en cas de doute.",
        "regulation_ccpa": "Le droit de la Californie (CCPA).",
        "label_said": "Un modèle a-t-il dit quelque chose sur vous ?",
        "hint_said": "Dites-nous ce qu’il a dit et ce qui lui avait été demandé. Cela nous aide à trouver vos données. Seules "
        "les personnes qui traitent votre demande le lisent.",
        "privacy_title": "Ce que nous faisons de ce que vous saisissez",
        "privacy_text": "{controller} s’en sert pour trouver vos données, pour s’assurer que c’est bien vous, et pour vous "
        "répondre. C’est conservé sous forme chiffrée. {days} jours après la fin de la demande, votre adresse est rendue "
        "illisible. Il reste une trace sans votre nom, qui dit qu’il y a eu une demande et ce qu’elle est devenue, et une "
        "marque codée qui empêche que vos données servent de nouveau à l’entraînement.",
        "ask_button": "Envoyer la demande",
        # Receipt
        "receipt_title": "Nous avons reçu votre demande",
        "receipt_text": "Vous recevrez une réponse au plus tard le {due}. Si elle devait prendre plus de temps, nous vous en "
        "informerions d’ici là, avec les raisons.",
        "keep_title": "Conservez maintenant ces deux éléments",
        "keep_text": "Ils ouvrent votre demande. La clé d’accès n’est affichée que cette fois ; nous ne pouvons pas "
        "l’afficher de nouveau.",
        "keep_advice": "Copiez-les, imprimez cette page ou enregistrez-les dans un gestionnaire de mots de passe. Ne montrez la "
        "clé d’accès à personne.",
        "receipt_follow": "Continuer : saisir le code reçu par courriel",
        "later_text": "Ce navigateur se souvient de votre demande pendant une heure. Plus tard, ou sur un autre appareil :",
        # Opening
        "open_title": "Suivre votre demande",
        "open_text": "Saisissez ce qui figure sur votre accusé de réception.",
        "open_closed": "Ce navigateur n’a pas ouvert la demande, ou il y a plus d’une heure. Veuillez l’ouvrir.",
        "open_button": "Ouvrir",
        "label_request_id": "Référence",
        "label_token": "Clé d’accès",
        "lost_title": "Je n’ai plus la clé d’accès",
        "lost_text": "Elle ne peut pas être affichée de nouveau. Les courriers au sujet de votre demande vous parviennent "
        "quand même par courriel. Vous pouvez aussi faire une nouvelle demande : elle est reliée à la précédente dès que vous "
        "avez saisi le code.",
        # Errors in forms
        "error_field_required": "Cette indication manque.",
        "error_field_invalid": "Nous ne comprenons pas cette indication.",
        "error_field_invalid_choice": "Choisissez l’une des possibilités proposées.",
        "error_field_max_length": "C’est trop long.",
        "error_field_null_characters_not_allowed": "Il y a là un caractère qui ne peut pas être enregistré.",
        "error_value_required": "Saisissez votre adresse électronique.",
        "error_value_invalid": "Saisissez une adresse électronique, par exemple nom@example.org.",
        "error_ground_required": "Choisissez pourquoi les données sont à effacer.",
        "error_regulation_required": "Choisissez la loi que vous invoquez.",
        "error_request_id_required": "Saisissez la référence.",
        "error_request_id_invalid": "Saisissez la référence comme elle figure sur l’accusé de réception : 36 caractères, avec "
        "les traits d’union.",
        "error_token_required": "Saisissez la clé d’accès.",
        "error_code_required": "Saisissez le code reçu par courriel.",
        "error_code_invalid": "Saisissez les dix chiffres du code.",
        "error_answer_required": "Écrivez votre réponse.",
        "error_text_required": "Écrivez ce que le modèle a dit.",
        "error_not_opened": "La référence et la clé d’accès ne vont pas ensemble. Vérifiez les deux, et saisissez de nouveau la "
        "clé.",
        # Errors of what was asked for
        "error_identity_not_confirmed": "Le code est faux, trop ancien ou épuisé. Demandez-en un nouveau, et saisissez-le "
        "tant qu’il est valable.",
        "error_invalid_input": "Cela n’a pas pu être lu. Vérifiez ce que vous avez saisi.",
        "error_wrong_state": "Ce n’est pas possible à ce stade de votre demande. Cette page montre où elle en est.",
        "error_changed_meanwhile": "Votre demande a changé entre-temps. Cette page montre où elle en est maintenant.",
        "error_not_ready": "Ce n’est pas possible pour le moment. Veuillez réessayer dans une heure.",
        "error_not_now": "Cela n’a pas fonctionné, et rien n’a été modifié. Veuillez réessayer plus tard.",
        # Following
        "follow_title": "Votre demande d’effacement",
        "state_received": "Nous avons reçu votre demande",
        "next_received": "Vous allez recevoir un code par courriel.",
        "state_identity_pending": "Nous vous attendons",
        "next_identity_pending": "Montrez que la demande vient de vous. D’ici là, personne ne se prononce sur elle.",
        "state_under_review": "Une personne examine votre demande",
        "next_under_review": "Vous n’avez rien à faire. La décision vous sera communiquée.",
        "state_info_requested": "Nous avons une question",
        "next_info_requested": "Veuillez y répondre ci-dessous. Une décision sera prise ensuite.",
        "state_approved": "Votre demande est acceptée",
        "next_approved": "Les modèles qui contiennent vos données vont être modifiés. Vous n’avez rien à faire.",
        "state_executing": "Des modèles sont en cours de modification",
        "next_executing": "Les modèles qui contiennent vos données sont en cours de modification. Vous n’avez rien à faire.",
        "state_verifying": "Les modèles modifiés sont testés",
        "next_verifying": "Des tests montrent dans quelle mesure les modèles modifiés vous connaissent encore. Vous n’avez rien "
        "à faire.",
        "state_attention": "Tout ne s’est pas passé comme prévu",
        "next_attention": "Une personne s’en occupe. La date à laquelle vous aurez une réponse reste la même.",
        "state_signoff": "Le résultat est contrôlé",
        "next_signoff": "Une seconde personne contrôle le travail avant qu’il soit achevé. Vous n’avez rien à faire.",
        "state_completed": "Le traitement de votre demande est terminé",
        "next_completed": "Vous lisez ci-dessous ce qui a été fait, et dans quelle mesure cela a été testé.",
        "state_partly_completed": "Votre demande a été acceptée en partie",
        "next_partly_completed": "Vous lisez ci-dessous ce qui a été fait, ce qui ne l’a pas été et pourquoi, et où déposer une "
        "réclamation.",
        "state_refused": "Votre demande a été refusée",
        "next_refused": "Vous lisez ci-dessous les motifs, et où déposer une réclamation.",
        "state_withdrawn": "Vous avez retiré votre demande",
        "next_withdrawn": "Rien n’a été effacé. Vous pouvez faire une nouvelle demande à tout moment.",
        "state_closed_unverified": "Votre demande a été close",
        "next_closed_unverified": "Personne n’a montré que la demande était la sienne ; rien n’a donc été effacé. Vous pouvez en "
        "faire une nouvelle à tout moment.",
        "proof_title": "Montrez que la demande vient de vous",
        "proof_text": "Nous ne demandons pas plus que nécessaire. Rien de ce que vous montrez n’est conservé. Vous pouvez :",
        "proof_so_far": "Niveau prouvé jusqu’ici : {level}. Niveau nécessaire : {needed}.",
        "way_email_code": "saisir le code envoyé à votre adresse",
        "way_oidc": "vous connecter avec le compte qui correspond à votre adresse",
        "way_staff": "nous demander de vérifier d’une autre manière : {contact}",
        "label_code": "Code reçu par courriel",
        "hint_code": "Dix chiffres. Regardez aussi parmi les messages indésirables.",
        "code_button": "Confirmer",
        "fresh_code_button": "Envoyer un nouveau code",
        "sign_in": "Se connecter",
        "question_title": "Notre question",
        "question_unreadable": "La question ne peut pas être affichée pour le moment. Elle vous a aussi été envoyée par "
        "courriel.",
        "label_answer": "Votre réponse",
        "answer_button": "Envoyer la réponse",
        "dates_title": "Dates",
        "received": "Reçue",
        "decided": "Décidée",
        "closed": "Close",
        "due": "Réponse au plus tard",
        "extended": "prolongé",
        "because_title": "Pourquoi cette date ?",
        "because_received": "Date d’arrivée de votre demande : {received}. Ce jour n’est pas compté.",
        "because_gdpr": "La loi donne un mois pour répondre ({cite}). Fin de ce mois : {end}.",
        "because_ccpa": "La loi donne 45 jours pour répondre ({cite}). Fin de ces jours : {end}.",
        "because_rolled": "Le {end} n’étant pas un jour ouvrable, la réponse est due le jour ouvrable suivant, le {due}.",
        "because_extended": "Nous vous avons fait savoir le {told} que la réponse prend plus de temps. {reason} Elle est "
        "maintenant due au plus tard le {due}.",
        "because_waiting": "Tant que nous vous attendons, la loi peut suspendre le délai. Nous n’y comptons pas : la date "
        "indiquée est la plus proche.",
        "because_waited": "Nous vous avons attendu un certain temps. Si le délai a été suspendu, il prend fin le {paused}. Nous "
        "nous en tenons à la date la plus proche.",
        "models_title": "Modèles",
        "models_text": "Les modèles que {controller} a enregistrés à cette fin.",
        "models_concerned": "Entraînés sur des données qui vous concernent",
        "models_done": "Modifiés, et en service ainsi",
        "models_excepted": "Laissés tels quels, pour un motif que la loi prévoit",
        "models_held": "En attente pour l’instant",
        "outcome_title": "Ce qui en a résulté",
        "outcome_none": "Les détails vous ont été envoyés par courriel, et ne peuvent plus être affichés ici.",
        "evidence_title": "Sur quoi cela repose",
        "evidence_text": "Une ligne par modèle modifié ; « eux » désigne vos enregistrements. Le long numéro désigne l’écriture "
        "signée de notre registre, grâce à laquelle d’autres peuvent vérifier.",
        "evidence_digest": "Écriture :",
        "result_passed": "Les tests fixés à l’avance ont été réussis.",
        "result_warned": "Les tests ont été réussis, sauf un qui n’a pas permis de conclure.",
        "result_failed": "Les tests n’ont pas été réussis.",
        "letters_title": "Courriers qui vous sont adressés",
        "letters_none": "Il n’y en a pas encore.",
        "letter_sent": "envoyé le {day}",
        "letter_owed": "sera envoyé sous peu",
        "letter_receipt": "Accusé de réception",
        "letter_identity": "Code à usage unique",
        "letter_identity_reminder": "Rappel du code",
        "letter_question": "Question posée",
        "letter_extension": "La réponse prend plus de temps",
        "letter_completed": "Fin du traitement",
        "letter_partly_completed": "Acceptation en partie",
        "letter_refused": "Refus",
        "letter_withdrawn": "Retrait",
        "letter_closed_unverified": "Clôture sans preuve d’identité",
        "leaving_title": "Avant de partir",
        "leaving_text": "Ce navigateur se souvient de votre demande pendant une heure. Sur un appareil que d’autres utilisent, "
        "faites-la oublier.",
        "forget_button": "Oublier dans ce navigateur",
        # Taking back, complaining
        "withdraw_title": "Retirer la demande",
        "withdraw_text": "Rien n’est alors effacé, et la demande est close définitivement. Vous pouvez en faire une nouvelle à "
        "tout moment.",
        "withdraw_button": "Oui, la retirer",
        "complain_title": "Un modèle me connaît encore",
        "complain_invitation": "Un modèle dit-il encore quelque chose sur vous ?",
        "complain_text": "Votre signalement devient une nouvelle demande, reliée à celle-ci. Vous recevez une nouvelle clé "
        "d’accès, et un code vous est de nouveau demandé.",
        "label_text": "Qu’a dit le modèle ?",
        "hint_text": "Dites-nous aussi de quel modèle il s’agit, et ce qui lui avait été demandé.",
        "complain_button": "Envoyer le signalement",
        # What was done
        "done_code": "Merci, le code était juste.",
        "done_fresh_code": "Un nouveau code est en route. Les précédents ne sont plus valables.",
        "done_answer": "Merci. Votre réponse est arrivée.",
        "done_withdrawn": "Votre demande est retirée.",
        "done_forgotten": "Ce navigateur a oublié votre demande.",
        "done_sign_in": "Merci, votre connexion est enregistrée.",
        # What went wrong
        "title_not_found": "Il n’y a rien à cette adresse",
        "text_not_found": "Le lien est peut-être abîmé, ou ce qu’il désigne n’existe pas.",
        "title_too_many": "Trop de tentatives",
        "text_too_many": "Par sécurité, nous en acceptons un nombre limité. Veuillez attendre, en minutes : {minutes}. Puis "
        "réessayez.",
        "title_form_too_old": "Le formulaire était trop ancien",
        "text_form_too_old": "Il est resté ouvert trop longtemps, ou ce navigateur refuse les cookies. Rien n’a été envoyé. "
        "Ouvrez de nouveau la page et recommencez ; ces formulaires ont besoin de cookies.",
        "title_not_opened": "Ouvrez d’abord votre demande",
        "text_not_opened": "Ouvrez votre demande dans ce navigateur avec sa référence et sa clé d’accès, puis connectez-vous à "
        "partir de là.",
        "title_sign_in_refused": "Votre connexion n’a pas été acceptée",
        "text_sign_in_refused": "Elle ne prouve pas que la demande est la vôtre. Connectez-vous de nouveau, avec le compte de "
        "l’adresse pour laquelle la demande a été faite.",
        "title_sign_in_late": "Il n’y a plus rien à prouver ainsi",
        "text_sign_in_late": "C’est déjà prouvé, ou votre demande est plus avancée. Sa page montre où elle en est.",
        "title_sign_in_unavailable": "La connexion ne fonctionne pas en ce moment",
        "text_sign_in_unavailable": "La connexion n’est pas possible pour le moment. Personne ne doute que ce soit vous. Veuillez "
        "réessayer plus tard.",
    },
)
